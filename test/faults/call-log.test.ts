import { expect } from "chai";
import { isRefusal } from "./call-log.ts";

describe("the log of calls", () => {
  it("tells what was refused from what was answered, and from what a pod broke off when it ended", () => {
    for (const [refused, said] of [
      [false, "aws: GET / 200 4 ms"],
      [true, "aws: GET / 403 4 ms"],
      [true, "aws: POST sts:GetCallerIdentity 403 3 ms"],
      [true, "aws: POST sts:AssumeRole 403 3 ms"],
      [true, "aws: AssumeRoleWithWebIdentity arn:aws:iam::1:role/x: AccessDenied"],
      [
        false,
        "aws: AssumeRoleWithWebIdentity arn:aws:iam::1:role/x: credentials for system:serviceaccount:a:b",
      ],
      [true, "agent: Error of EKS Auth"],
      [false, "aws: GET / aborted 116 ms"],
      [false, "aws: POST sts:GetCallerIdentity aborted 155 ms"],
      [true, "aws: GET / aborted 5003 ms"],
      [true, "aws: POST sts:GetCallerIdentity aborted 1000 ms"],
    ] as const) {
      expect(isRefusal(said), said).to.equal(refused);
    }
  });
});
