import { expect } from "chai";
import {
  type Deployment,
  deploymentProgress,
  type Pod,
  podProblems,
  podProgress,
} from "../../../../../local/pulumi/providers/kubernetes/rollout.ts";

describe("a Deployment's rollout", () => {
  const deployment = (status: Deployment["status"], replicas = 2): Deployment => ({
    metadata: { generation: 3 },
    spec: { replicas },
    status: { observedGeneration: 3, ...status },
  });
  const done = { replicas: 2, updatedReplicas: 2, availableReplicas: 2 };

  it("waits for the controller to see the change, whatever the old status says", () => {
    const { state, message } = deploymentProgress(deployment({ ...done, observedGeneration: 2 }));
    expect([state, message]).to.deep.equal(["waiting", "[1/2] Waiting for the Deployment controller"]);
    expect(deploymentProgress({ metadata: { generation: 1 } }).state).to.equal("waiting");
  });

  it("waits for every new replica to be available, and says how many are", () => {
    expect(deploymentProgress(deployment({ ...done, availableReplicas: 1 }))).to.deep.equal({
      state: "waiting",
      message: "[1/2] Waiting for app ReplicaSet to be available (1/2 Pods available)",
    });
  });

  it("does not take old replicas for new ones", () => {
    const { state, message } = deploymentProgress(
      deployment({ replicas: 3, updatedReplicas: 1, availableReplicas: 2 }),
    );
    expect(state).to.equal("waiting");
    expect(message).to.contain("1/2");
  });

  it("waits for the old replicas to end", () => {
    expect(deploymentProgress(deployment({ ...done, replicas: 3 }))).to.deep.equal({
      state: "waiting",
      message: "[2/2] Waiting for 1 old Pod(s) to end",
    });
  });

  it("is ready then, also with no replicas wanted", () => {
    expect(deploymentProgress(deployment(done)).state).to.equal("ready");
    expect(deploymentProgress(deployment({}, 0)).state).to.equal("ready");
  });

  it("has failed when its progress deadline has passed", () => {
    const conditions = [
      { type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded", message: "timed out" },
    ];
    expect(deploymentProgress(deployment({ conditions }))).to.deep.equal({
      state: "failed",
      message: "[ProgressDeadlineExceeded] timed out",
    });
  });
});

describe("a Pod", () => {
  const container = (status: object): Pod => ({
    status: { phase: "Pending", containerStatuses: [{ name: "lister", ...status }] },
  });

  it("is ready when it is Ready, or has succeeded", () => {
    const conditions = [{ type: "Ready", status: "True" }];
    expect(podProgress({ status: { phase: "Running", conditions } }).state).to.equal("ready");
    expect(podProgress({ status: { phase: "Running" } }).state).to.equal("waiting");
    expect(podProgress({ status: { phase: "Succeeded" } }).state).to.equal("ready");
  });

  it("has failed when its phase says so, with why", () => {
    const { state, message } = podProgress({
      status: { phase: "Failed", reason: "Evicted", message: "no disk" },
    });
    expect([state, message]).to.deep.equal(["failed", "the Pod failed: Evicted; no disk"]);
  });

  it("says that an image cannot be pulled", () => {
    const waiting = { reason: "ErrImagePull", message: "not found" };
    expect(podProblems(container({ state: { waiting } }))).to.deep.equal([
      "container lister: [ErrImagePull] not found",
    ]);
  });

  it("says how a container ended, in its own words, though it is waiting to start again", () => {
    const status = {
      state: { waiting: { reason: "CrashLoopBackOff", message: "back-off" } },
      lastState: { terminated: { exitCode: 1, reason: "Error", message: "AccessDenied\n" } },
    };
    expect(podProblems(container(status))).to.deep.equal([
      "container lister: [CrashLoopBackOff] back-off",
      "container lister ended with exit code 1 (Error): AccessDenied",
    ]);
  });

  it("says that it cannot be scheduled", () => {
    const conditions = [
      { type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/1 nodes are available" },
    ];
    expect(podProblems({ status: { conditions } })).to.deep.equal([
      "[Unschedulable] 0/1 nodes are available",
    ]);
  });

  it("says that a container runs and is not ready", () => {
    const pod = container({ ready: false, state: { running: {} } });
    const conditions = [{ type: "Ready", status: "False", reason: "ContainersNotReady" }];
    const problems = podProblems({ status: { ...pod.status, conditions } });
    expect(problems).to.deep.equal(["container lister runs, but is not ready"]);
  });

  it("finds nothing wrong with one that is only starting", () => {
    expect(podProblems(container({ state: { waiting: { reason: "ContainerCreating" } } }))).to.deep.equal([]);
  });
});
