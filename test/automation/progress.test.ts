import { CommandError, ConcurrentUpdateError, type EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { expect } from "chai";
import {
  BusyStackError,
  CancelledError,
  EngineMissingError,
  OperationError,
  ResourceError,
  toOperationError,
} from "../../automation/errors.ts";
import { changed, describe as inWords, progressOf, summary } from "../../automation/progress.ts";

const urn = "urn:pulumi:dev::eks-irsa::eks-irsa:index:IrsaServiceAccount$aws:iam/role:Role::app-role";
const event = (part: object): EngineEvent => ({ sequence: 1, timestamp: 1, ...part }) as never;
const failed = (message: string, about?: string) =>
  event({ diagnosticEvent: { severity: "error", message: `<{%fg 1%}>${message}<{%reset%}>`, urn: about } });
/** As the SDK makes them from what the engine printed. */
const commandError = (Class: typeof CommandError, stderr: string): CommandError =>
  new (Class as unknown as new (result: object) => CommandError)({ toString: () => stderr });

describe("an operation's progress", () => {
  it("tells each resource when it starts, is done, or has failed", () => {
    const metadata = { op: "create", type: "aws:iam/role:Role", urn };
    const states = (["resourcePreEvent", "resOutputsEvent", "resOpFailedEvent"] as const).map((kind) =>
      progressOf(event({ [kind]: { metadata } })),
    );
    expect(
      states.map((one) => one?.kind === "resource" && [one.state, one.name, inWords(one)]),
    ).to.deep.equal([
      ["started", "app-role", "creating aws:Role app-role"],
      ["done", "app-role", "created aws:Role app-role"],
      ["failed", "app-role", "failed aws:Role app-role"],
    ]);
  });

  it("leaves out what stays as it is", () => {
    expect(progressOf(event({ resOutputsEvent: { metadata: { op: "same", type: "t", urn } } }))).to.equal(
      undefined,
    );
  });

  it("gives messages without colours, and none that are empty", () => {
    expect(progressOf(failed("it broke", urn))).to.deep.equal({
      kind: "message",
      severity: "error",
      text: "it broke",
      urn,
    });
    expect(progressOf(event({ diagnosticEvent: { severity: "info", message: "<{%reset%}>\n" } }))).to.equal(
      undefined,
    );
  });

  it("leaves out what is for the engine's own debugging", () => {
    const debug = { severity: "debug", message: "Registering resource: t=aws:iam/role:Role" };
    expect(progressOf(event({ diagnosticEvent: debug }))).to.equal(undefined);
  });

  it("is summed up in words", () => {
    expect(summary({ create: 12, same: 3, delete: 0 })).to.equal("12 created, 3 unchanged");
    expect(summary({})).to.equal("nothing there");
    expect(changed({ same: 3, read: 1 })).to.equal(false);
    expect(changed({ same: 3, update: 1 })).to.equal(true);
  });
});

describe("an operation's error", () => {
  it("names the resource that a provider failed with, and not the stack that counts it", () => {
    const events = [
      failed("update failed", "urn:pulumi:dev::eks-irsa::pulumi:pulumi:Stack::x"),
      failed("AccessDenied", urn),
    ];
    const error = toOperationError(commandError(CommandError, "exit code 255"), events, "the output");
    expect(error).to.be.instanceOf(ResourceError);
    expect(error).to.include({ urn, reason: "AccessDenied", output: "the output" });
    expect(error.message).to.equal("aws:iam/role:Role app-role: AccessDenied");
  });

  it("has every resource that failed, each once", () => {
    const other = urn.replace("app-role", "other-role");
    const events = [failed("AccessDenied", urn), failed("AccessDenied", urn), failed("Throttling", other)];
    expect(toOperationError(commandError(CommandError, "x"), events, "").message).to.equal(
      "aws:iam/role:Role app-role: AccessDenied\naws:iam/role:Role other-role: Throttling",
    );
  });

  it("says who holds the stack", () => {
    const error = toOperationError(
      commandError(
        ConcurrentUpdateError,
        "the stack is currently locked by 1 lock(s). ... created by me@host (pid 42) at",
      ),
      [],
      "",
    );
    expect(error).to.be.instanceOf(BusyStackError);
    expect(error.message).to.equal("Another operation on the stack is under way by me@host, process 42.");
  });

  it("is busy, too, where another one was writing the state that it wanted to read", () => {
    const ends = ["EOF", "unexpected EOF", "unexpected end of JSON input"];
    for (const said of ends.flatMap((end) => [`error: failed to load checkpoint: ${end}`, `error: ${end}`])) {
      const error = toOperationError(commandError(CommandError, `${said}\n`), [], "");
      expect(error).to.be.instanceOf(BusyStackError);
      expect(error.message).to.contain("writing a stack's state");
    }
  });

  it("says how to get an engine where there is none", () => {
    const error = toOperationError(new Error("spawn pulumi ENOENT"), [], "");
    expect(error).to.be.instanceOf(EngineMissingError);
    expect(error.message).to.contain("https://www.pulumi.com/docs/install/");
  });

  it("is a cancellation when the signal says so, whatever the engine printed", () => {
    const error = toOperationError(
      commandError(CommandError, "x"),
      [failed("cancelled", urn)],
      "",
      AbortSignal.abort(),
    );
    expect(error).to.be.instanceOf(CancelledError);
  });

  it("is what the engine said where no resource is to blame, and its own where it is none of the engine's", () => {
    expect(
      toOperationError(commandError(CommandError, "x"), [failed("no credentials")], ""),
    ).to.be.instanceOf(OperationError);
    const own = new TypeError("a bug");
    expect(toOperationError(own, [], "")).to.equal(own);
  });
});
