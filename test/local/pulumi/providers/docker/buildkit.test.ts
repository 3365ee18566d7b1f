import { expect } from "chai";
import { traceLines } from "../../../../../local/pulumi/providers/docker/buildkit.ts";

// As dockerd 20.10 sent them, for a step that began, printed a line and ended.
const began =
  "CukBCkdzaGEyNTY6OTA5YzJmMzg3NTNhMDgzMjRhNDIxZjg5YjIwN2JjNDc2MTFhNTBiZWUwYmY3NGExNDM5YTcyYWNkMzM0ZDZiZBJHc2hhMjU2OmNiNmVjNmE5ZmEzZDQ5ZGUwYjhkOTAzMGNlMjUwOGRhMGI5OTlhZjRjYzlkOGI3Y2U5ODE3ZWRhNGIzZjQzMDIaR1tidWlsZCAyLzJdIFJVTiBlY2hvICJhcmNoIGFybTY0IG9uIGxpbnV4L2FtZDY0IiA+IC90bXAveCAmJiBjYXQgL3RtcC94KgwI2Nmf2AYQo7SrxQE=";
const printed =
  "GnUKR3NoYTI1Njo5MDljMmYzODc1M2EwODMyNGE0MjFmODliMjA3YmM0NzYxMWE1MGJlZTBiZjc0YTE0MzlhNzJhY2QzMzRkNmJkEgwI2Nmf2AYQnNHE2wEYASIaYXJjaCBhcm02NCBvbiBsaW51eC9hbWQ2NAo=";
const ended =
  "CvcBCkdzaGEyNTY6OTA5YzJmMzg3NTNhMDgzMjRhNDIxZjg5YjIwN2JjNDc2MTFhNTBiZWUwYmY3NGExNDM5YTcyYWNkMzM0ZDZiZBJHc2hhMjU2OmNiNmVjNmE5ZmEzZDQ5ZGUwYjhkOTAzMGNlMjUwOGRhMGI5OTlhZjRjYzlkOGI3Y2U5ODE3ZWRhNGIzZjQzMDIaR1tidWlsZCAyLzJdIFJVTiBlY2hvICJhcmNoIGFybTY0IG9uIGxpbnV4L2FtZDY0IiA+IC90bXAveCAmJiBjYXQgL3RtcC94KgwI2Nmf2AYQo7SrxQEyDAjY2Z/YBhCL3cLdAQ==";
const step = '[build 2/2] RUN echo "arch arm64 on linux/amd64" > /tmp/x && cat /tmp/x';

/** The field of a vertex or of a message, as protobuf writes texts and short messages: number, length, content. */
const field = (number: number, content: string | Buffer): Buffer =>
  Buffer.concat([Buffer.from([number * 8 + 2, content.length]), Buffer.from(content)]);

describe("what BuildKit says", () => {
  it("is its steps, each once, and what they print", () => {
    const seen = new Set<string>();
    expect([began, printed, ended].map((trace) => traceLines(trace, seen))).to.deep.equal([
      [step],
      ["arch arm64 on linux/amd64", ""],
      [],
    ]);
  });

  it("tells a step that was in the cache, and none that has only been planned", () => {
    const planned = Buffer.concat([field(1, "sha256:1"), field(3, "[1/2] FROM base")]);
    const trace = (vertex: Buffer): string => field(1, vertex).toString("base64");
    const seen = new Set<string>();
    expect(traceLines(trace(planned), seen)).to.deep.equal([]);
    const cached = Buffer.concat([planned, Buffer.from([4 * 8, 1])]);
    expect(traceLines(trace(cached), seen)).to.deep.equal(["[1/2] FROM base (cached)"]);
  });
});
