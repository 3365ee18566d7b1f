import { Readable } from "node:stream";
import { expect } from "chai";
import { follow } from "../../../../../local/pulumi/providers/docker/stream.ts";

describe("dockerd's answer", () => {
  const answer = (...messages: object[]) => Readable.from(messages.map((one) => `${JSON.stringify(one)}\n`));

  it("is shown line by line, without progress bars and colours, and ends with what it gives", async () => {
    const lines: string[] = [];
    const result = await follow(
      answer(
        { stream: "Step 1/2 : FROM scratch\n" },
        { stream: " ---> \n" },
        { stream: "\u001b[31mred\u001b[0m\r\n" },
        { status: "Pushing", id: "abc", progress: "[=> ]" },
        { status: "Pushed", id: "abc" },
        { aux: { Digest: "sha256:1" } },
      ),
      (line) => lines.push(line),
    );
    expect(lines).to.deep.equal(["Step 1/2 : FROM scratch", "red", "abc: Pushed"]);
    expect(result).to.deep.equal({ Digest: "sha256:1" });
  });

  it("fails with the last lines, when the build does", async () => {
    const stream = answer({ stream: "go build\nmain.go:3: undefined\n" }, { error: "exit code 1" });
    const error = await follow(stream, () => {}).catch((error: Error) => error);
    expect((error as Error).message).to.equal("exit code 1\n    go build\n    main.go:3: undefined");
  });
});
