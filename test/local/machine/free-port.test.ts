import { createServer } from "node:net";
import { expect } from "chai";
import { freePort } from "../../../local/machine/free-port.ts";

describe("a free port", () => {
  it("is none that an outgoing connection could get meanwhile, none that is taken, and none that something listens on", async () => {
    const first = await freePort();
    const second = await freePort([first]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(second, "127.0.0.1", resolve));
    const third = await freePort([first]);
    await new Promise((resolve) => server.close(resolve));
    expect(new Set([first, second, third])).to.have.length(3);
    for (const port of [first, second, third]) expect(port).to.be.within(20_000, 20_999);
  });
});
