import { expect } from "chai";
import { isRefused } from "../../local/lister-log.ts";

describe("the lister's log", () => {
  const since = new Date("2026-01-01T12:00:00Z");
  const line = (time: string, entry: object) =>
    JSON.stringify({ time: `2026-01-01T${time}.5Z`, level: "ERROR", msg: "", ...entry });
  const refused = (time: string) =>
    line(time, { error: "operation error S3: ListBuckets, AccessDenied: no" });
  const listed = (time: string) => line(time, { level: "INFO", msg: "listed the buckets" });

  it("tells a refusal from one that permissions changed under, and from what may pass", () => {
    const cases: [boolean, ...string[]][] = [
      [true, refused("12:00:01"), refused("12:00:06")],
      [true, listed("11:59:59"), "Buckets:", "* a", refused("12:00:01"), refused("12:00:06")],
      [false, refused("11:59:59"), refused("12:00:01")],
      [false, refused("12:00:01"), refused("12:00:06"), listed("12:00:11"), "Buckets:"],
      [false, line("12:00:01", { error: "timeout" }), line("12:00:06", { error: "timeout" })],
      [true, refused("12:00:01"), refused("12:00:06"), '{"time":"2026-01-01T12:00:1'],
      [false],
    ];
    for (const [expected, ...log] of cases) expect(isRefused(log, since), log.join("\n")).to.equal(expected);
  });
});
