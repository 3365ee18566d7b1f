import { expect } from "chai";
import {
  type HostedProvider,
  type Properties,
  serve,
} from "../../../../../local/pulumi/provider-host/index.ts";
import { awsProvider } from "../../../../../local/pulumi/providers/aws/provider.ts";
import { Engine } from "../../engine.ts";
import { FakeAws, region } from "./fake-aws.ts";

export interface Made {
  readonly id: string;
  readonly inputs: Properties;
  readonly state: Properties;
}

/** The aws stand-in on a fake AWS, asked for one type of resource as an engine would ask. */
export class Account {
  readonly aws: FakeAws;
  readonly engine: Engine;
  readonly #hosted: HostedProvider;

  private constructor(aws: FakeAws, hosted: HostedProvider, engine: Engine) {
    this.aws = aws;
    this.#hosted = hosted;
    this.engine = engine;
  }

  static async open(type: string, configuration: Properties = {}): Promise<Account> {
    const aws = new FakeAws();
    const options = {
      endpoint: "http://127.0.0.1:1",
      region,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    };
    const hosted = await serve(awsProvider(options, aws.clients), { host: "127.0.0.1", log: () => {} });
    const engine = await new Engine(hosted.port, type, "app").configure(configuration);
    return new Account(aws, hosted, engine);
  }

  async close(): Promise<void> {
    this.engine.close();
    await this.#hosted.close();
  }

  /** The inputs as the provider takes them; fails when it refuses them. */
  async check(inputs: Properties, olds: Properties = {}): Promise<Properties> {
    const { inputs: checked, failures } = await this.engine.check(inputs, olds);
    expect(failures).to.deep.equal([]);
    return checked;
  }

  /** Makes a resource. A refresh right after it finds no drift, and the same inputs are no change. */
  async create(inputs: Properties): Promise<Made> {
    const checked = await this.check(inputs);
    const { id, state } = await this.engine.create(checked);
    return this.#settled({ id, inputs: checked, state });
  }

  /** Changes a resource in place, and gives it with the commands that this took. */
  async update(made: Made, inputs: Properties): Promise<Made & { changes: string[] }> {
    const checked = await this.check(inputs, made.inputs);
    const { replaces } = await this.engine.diff(made.inputs, checked);
    expect(replaces, "what is replaced").to.deep.equal([]);
    this.aws.changes.length = 0;
    const state = await this.engine.update(made.id, made.inputs, made.state, checked);
    const changes = [...this.aws.changes];
    return { ...(await this.#settled({ id: made.id, inputs: checked, state })), changes };
  }

  /** The inputs whose change replaces the resource. */
  async replacedBy(made: Made, inputs: Properties): Promise<string[]> {
    return (await this.engine.diff(made.inputs, await this.check(inputs, made.inputs))).replaces;
  }

  /** Inputs and state as a refresh finds them; undefined when the resource is gone. */
  async refresh({ id, inputs, state }: Made): Promise<Made | undefined> {
    const live = await this.engine.read(id, inputs, state);
    return live.id === "" ? undefined : live;
  }

  /** Deletes a resource; then it is gone, and to delete it once more is no error. */
  async destroy(made: Made): Promise<void> {
    await this.engine.delete(made.id, made.state);
    expect(await this.refresh(made), "what is left").to.equal(undefined);
    await this.engine.delete(made.id, made.state);
  }

  async #settled(made: Made): Promise<Made> {
    const live = await this.refresh(made);
    expect(live?.inputs, "inputs after a refresh").to.deep.equal(made.inputs);
    expect(live?.state, "state after a refresh").to.deep.equal(made.state);
    expect((await this.engine.diff(made.inputs, made.inputs)).some).to.equal(false);
    return made;
  }
}
