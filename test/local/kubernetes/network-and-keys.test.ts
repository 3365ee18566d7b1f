import { createPublicKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { createPki, type Pki } from "../../../local/kubernetes/pki.ts";
import { freeSubnet } from "../../../local/machine/bridge.ts";

describe("the pods' network", () => {
  it("is the first that no route of the machine touches", () => {
    expect(freeSubnet("default via 192.168.1.1 dev eth0\n192.168.1.0/24 dev eth0 scope link")).to.equal(
      "10.244.0.0/24",
    );
    expect(freeSubnet("10.244.0.0/24 dev cni0\n10.244.1.7 dev tun0")).to.equal("10.244.2.0/24");
    expect(freeSubnet("10.244.0.0/22 via 10.0.0.1 dev eth0")).to.equal("10.244.4.0/24");
  });

  it("is refused where the whole range is taken", () => {
    expect(() => freeSubnet("10.0.0.0/8 via 10.0.0.1 dev tun0")).to.throw("10.244.0.0/16 is in use");
  });
});

describe("the cluster's keys", () => {
  let folder: string;
  let pki: Pki;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-pki-"));
    pki = await createPki({
      folder,
      apiServerNames: ["127.0.0.1", "kubernetes.default.svc"],
      nodeAddress: "10.244.0.1",
      nodeName: "local",
    });
  });
  after(() => rmSync(folder, { recursive: true }));

  it("are signed by their own authority, for the names that they are used under", () => {
    const ca = new X509Certificate(pki.ca.certificate);
    expect(ca.ca).to.equal(true);
    const server = new X509Certificate(pki.apiServer.certificate);
    expect(server.verify(ca.publicKey)).to.equal(true);
    expect(server.subjectAltName).to.equal("IP Address:127.0.0.1, DNS:kubernetes.default.svc");
    expect(new X509Certificate(pki.kubeletServer.certificate).checkIP("10.244.0.1")).to.equal("10.244.0.1");
  });

  it("name the users that Kubernetes' own roles are for", () => {
    const subject = (pem: string) => new X509Certificate(pem).subject.split("\n").sort();
    expect(subject(pki.kubelet.certificate)).to.deep.equal(["CN=system:node:local", "O=system:nodes"]);
    expect(subject(pki.scheduler.certificate)).to.deep.equal(["CN=system:kube-scheduler"]);
    expect(subject(pki.admin.certificate)).to.include("O=system:masters");
  });

  it("are each another's, and readable by their owner only", () => {
    expect(statSync(pki.admin.keyFile).mode & 0o077).to.equal(0);
    expect(statSync(pki.serviceAccount.privateKeyFile).mode & 0o077).to.equal(0);
    expect(pki.admin.key).not.to.equal(pki.apiServer.key);
  });

  it("sign tokens with RSA of 2,048 bits, as EKS does", () => {
    const key = createPublicKey(readFileSync(pki.serviceAccount.publicKeyFile));
    expect(key.asymmetricKeyType).to.equal("rsa");
    expect(key.asymmetricKeyDetails?.modulusLength).to.equal(2048);
  });
});
