import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../command.ts";
import { project, venv } from "../paths.ts";
import { exists } from "../process.ts";
import { addBusybox, type BaseImage, baseImages, removeOthers } from "./base-image.ts";
import { unpackRoot } from "./debian.ts";

/** bash and libc-bin bring `ldd`, which the Dockerfile asks what the JVM links to. */
const packages = [
  ...["openjdk-17-jdk-headless", "maven", "ca-certificates", "busybox-static"],
  ...["bash", "libc-bin"],
] as const;

/** Where Maven's repository lies in the image: what the lister is built from, and `exec:java`. */
const repository = "/m2";

const jdk = `/usr/lib/jvm/java-17-openjdk-${process.arch === "arm64" ? "arm64" : "amd64"}`;

/** The release that Debian's JDK compiles for. */
export const javaRelease = "17";

const changes = [
  `ENV PATH=${jdk}/bin:/usr/share/maven/bin:/usr/sbin:/usr/bin:/sbin:/bin JAVA_HOME=${jdk} LANG=C.UTF-8`,
  "WORKDIR /work",
];

/** Settings of Maven's in the image: `mvn -q compile exec:java` works in it as it stands, and asks nothing of the network. */
const settings = `<settings>
  <localRepository>${repository}</localRepository>
  <offline>true</offline>
  <profiles>
    <profile>
      <id>jdk</id>
      <properties><maven.compiler.release>${javaRelease}</maven.compiler.release></properties>
    </profile>
  </profiles>
  <activeProfiles><activeProfile>jdk</activeProfile></activeProfiles>
</settings>
`;

/**
 * Lays out the image that stands for `maven:` here, where no public image can be pulled: Debian's OpenJDK 17 and Maven, and
 * all that the lister's build needs, so that it asks nothing of the network. Does nothing when it is there for the same
 * `pom.xml`.
 */
export async function layOutJavaImage(onLine: (line: string) => void): Promise<BaseImage> {
  const app = join(project, "app", "java");
  const pins = createHash("sha256")
    .update(await readFile(join(app, "pom.xml")))
    .update([...packages, ...changes, settings].join("\n"))
    .digest("hex")
    .slice(0, 12);
  const image = {
    name: `eks-irsa.local/maven:17-${pins}`,
    folder: join(baseImages, `maven-17-${pins}`),
    changes,
  };
  if (await exists(image.folder)) return image;

  await removeOthers("maven-");
  const root = `${image.folder}.new`;
  await unpackRoot(root, packages, onLine);
  for (const path of ["proc", "dev", "tmp", "root", "work", "etc/ssl/certs/java", repository]) {
    await mkdir(join(root, path), { recursive: true });
  }
  await addBusybox(root, join(root, "bin/busybox"));
  await writeFile(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  // What the packages' scripts would have made. The machine's own certificate authorities stay out of the image.
  const authorities = join(root, "usr/share/ca-certificates/mozilla");
  const files = (await readdir(authorities)).map((file) => join(authorities, file));
  await writeTrustStore(join(root, "etc/ssl/certs/java/cacerts"), files);

  await download(root, app, onLine);
  await writeFile(join(root, "etc/maven/settings.xml"), settings);
  // Maven notes in its repository what it has asked for, whoever runs it.
  await command("chmod", ["-R", "a+rwX", join(root, repository)], { log: "base-image" });
  await rename(root, image.folder);
  return image;
}

/** Builds the lister in the image's root once, with the network: so Maven's repository has all that it needs. */
async function download(root: string, app: string, onLine: (line: string) => void): Promise<void> {
  const source = join(root, "tmp", "source");
  await cp(join(app, "pom.xml"), join(source, "pom.xml"));
  await cp(join(app, "src"), join(source, "src"), { recursive: true });
  const machine = process.env.SSL_CERT_FILE ?? "/etc/ssl/certs/ca-certificates.crt";
  await writeTrustStore(join(root, "tmp", "machine.p12"), [machine]);
  await cp("/etc/resolv.conf", join(root, "etc/resolv.conf"));
  const trustStore =
    "-Djavax.net.ssl.trustStore=/tmp/machine.p12 -Djavax.net.ssl.trustStorePassword=changeit";
  const maven = [
    ...["mvn", "--batch-mode", `-Dmaven.repo.local=${repository}`, `-Dmaven.compiler.release=${javaRelease}`],
    ...["-DskipTests", "package", "exec:java", "-Dexec.args=--help"],
  ];
  // In a mount namespace of its own: no mount is left, whatever happens.
  const script = `mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && cd / && exec chroot "$0" /bin/sh -c 'cd /tmp/source && exec "$@"' sh "$@"`;
  await command("unshare", ["--mount", "--propagation", "private", "sh", "-c", script, root, ...maven], {
    log: "base-image",
    env: {
      PATH: `${jdk}/bin:/usr/share/maven/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      JAVA_HOME: jdk,
      MAVEN_OPTS: trustStore,
      HOME: "/root",
    },
    onLine,
  });
  for (const path of ["tmp/source", "tmp/machine.p12", "etc/resolv.conf"]) {
    await rm(join(root, path), { recursive: true });
  }
}

/** Writes certificates as a trust store of Java's. The password is Java's own default; there is nothing secret in it. */
async function writeTrustStore(file: string, certificates: readonly string[]): Promise<void> {
  const program = `
import sys, warnings
warnings.simplefilter("ignore")
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
bundles = [x509.load_pem_x509_certificates(open(path, "rb").read()) for path in sys.argv[2:]]
entries = [pkcs12.PKCS12Certificate(one, str(index).encode()) for index, one in enumerate(sum(bundles, []))]
open(sys.argv[1], "wb").write(pkcs12.serialize_java_truststore(entries, BestAvailableEncryption(b"changeit")))
`;
  await command(join(venv, "bin", "python"), ["-c", program, file, ...certificates], { log: "base-image" });
}
