import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Command } from "commander";
import ts from "typescript";

// `node tools/peers-check.ts --dir FOLDER`: what the tables of docs/ say of other tools' arguments, against the tools' own
// schemas. FOLDER holds the npm packages as npm installs them, and clones of the others, or just the files.

/** Another tool, by the heading of its columns. */
export interface Peer {
  readonly heading: string;
  /** Below the folder: what is read, and where its version is, if it says one. */
  readonly files: readonly string[];
  readonly manifest?: string;
  /** The names of all arguments, those inside others with a dot. */
  readonly argumentsIn: (files: readonly Buffer[]) => string[];
}

export const peers: readonly Peer[] = [
  {
    heading: "eksctl",
    files: ["eksctl/pkg/apis/eksctl.io/v1alpha5/assets/schema.json"],
    argumentsIn: ([file]) => {
      const { definitions } = JSON.parse(String(file)) as JsonSchema;
      return membersOf(definitions, "ClusterIAMServiceAccount");
    },
  },
  {
    heading: "Terraform",
    files: ["terraform-aws-iam/modules/iam-role-for-service-accounts/variables.tf"],
    argumentsIn: ([file]) => [...String(file).matchAll(/^variable "(\w+)"/gm)].map(([, name = ""]) => name),
  },
  {
    heading: "CDK",
    files: ["node_modules/aws-cdk-lib/.jsii.gz"],
    manifest: "node_modules/aws-cdk-lib/package.json",
    argumentsIn: ([file]) => {
      const { types } = JSON.parse(String(gunzipSync(file as Buffer))) as Jsii;
      const all = (type: string): string[] => {
        const { properties = [], interfaces = [] } = types[type] ?? {};
        return [...properties.map(({ name }) => name), ...interfaces.flatMap(all)];
      };
      return all("aws-cdk-lib.aws_eks.ServiceAccountProps");
    },
  },
  {
    heading: "@pulumi/aws-iam",
    files: ["roleForServiceAccountsEks.d.ts", "types/input.d.ts"].map(
      (file) => `node_modules/@pulumi/aws-iam/${file}`,
    ),
    manifest: "node_modules/@pulumi/aws-iam/package.json",
    argumentsIn: (files) => {
      const interfaces = new Map(files.flatMap((file) => interfacesIn(String(file))));
      const args = interfaces.get("RoleForServiceAccountsEksArgs") ?? new Map<string, string>();
      return [...args].flatMap(([name, type]) => {
        const inner = interfaces.get(/inputs\.(\w+)/.exec(type)?.[1] ?? "");
        const prefix = type.includes("[key: string]") ? `${name}.*` : name;
        return inner === undefined ? [name] : [...inner.keys()].map((one) => `${prefix}.${one}`);
      });
    },
  },
];

/** Of eksctl's schema, what is read. */
interface JsonSchema {
  readonly definitions: Readonly<
    Record<string, { readonly properties?: Readonly<Record<string, { readonly $ref?: string }>> }>
  >;
}

function membersOf(definitions: JsonSchema["definitions"], name: string): string[] {
  return Object.entries(definitions[name]?.properties ?? {}).flatMap(([member, { $ref = "" }]) => {
    const inner = membersOf(definitions, $ref.replace(/^.*\//, ""));
    return inner.length === 0 ? [member] : inner.map((one) => `${member}.${one}`);
  });
}

/** Of the manifest of a jsii module, what is read. */
interface Jsii {
  readonly types: Readonly<
    Record<
      string,
      { readonly properties?: readonly { readonly name: string }[]; readonly interfaces?: readonly string[] }
    >
  >;
}

/** The interfaces of a declaration file: their members, and the type of each as text. */
function interfacesIn(text: string): [string, Map<string, string>][] {
  const source = ts.createSourceFile("declarations.d.ts", text, ts.ScriptTarget.Latest, true);
  return source.statements
    .filter(ts.isInterfaceDeclaration)
    .map(({ name, members }) => [
      name.text,
      new Map(
        members
          .filter(ts.isPropertySignature)
          .map((member) => [member.name.getText(source), member.type?.getText(source) ?? ""]),
      ),
    ]);
}

/**
 * What the tables of a page say of a tool: the names in code in the columns that it heads. A heading may say what the names
 * stand in (`attach_…_policy`). Flags (`--name`), methods (`of()`) and commands (`cdk diff`) are no arguments.
 */
export function claimsIn(page: string, heading: string): string[] {
  const lines = page.split("\n");
  return lines.flatMap((line, at) => {
    if (!line.startsWith("|") || lines[at - 1]?.startsWith("|")) return [];
    const heads = cellsOf(line);
    const rest = lines.slice(at + 2);
    const end = rest.findIndex((row) => !row.startsWith("|"));
    const rows = (end === -1 ? rest : rest.slice(0, end)).map(cellsOf);
    return heads.flatMap((head, column) => {
      if (!head.includes(heading)) return [];
      const template = codeIn(head).find((code) => code.includes("\u2026")) ?? "\u2026";
      return rows
        .flatMap((row) => codeIn(row[column] ?? ""))
        .map((code) => code.replace(/ = .*$/, ""))
        .filter((code) => !/^--|\(\)$| |\u2026/.test(code))
        .map((code) => template.replace("\u2026", code));
    });
  });
}

const cellsOf = (row: string): string[] => row.split("|").slice(1, -1);
const codeIn = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);

export interface PeerComparison {
  /** Arguments that no table names. */
  readonly added: readonly string[];
  /** Names of the tables that are no argument. */
  readonly gone: readonly string[];
  readonly same: number;
}

/** What a schema has no details of (`any`) stands for all that is named inside it; what has details is named by each. */
export function comparePeer(names: readonly string[], claims: readonly string[]): PeerComparison {
  const means = (claim: string, name: string): boolean => claim === name || claim.startsWith(`${name}.`);
  const added = names.filter((name) => !claims.some((claim) => means(claim, name)));
  const gone = [...new Set(claims)].filter(
    (claim) => !names.some((name) => means(claim, name) || name.startsWith(`${claim}.`)),
  );
  return { added, gone, same: names.length - added.length };
}

/** The pages whose tables name other tools' arguments. */
export const pages = ["migrating.md", "bundles.md"] as const;
const docs = join(import.meta.dirname, "..", "docs");

/** Compares what there is in a folder. Whether a tool has an argument that no table names, or lacks one that one does. */
export function checkPeers(folder: string, print: (line: string) => void): boolean {
  const texts = pages.map((page) => readFileSync(join(docs, page), "utf8"));
  let differs = false;
  for (const { heading, files, manifest, argumentsIn } of peers) {
    const missing = files.filter((file) => !existsSync(join(folder, file)));
    if (missing.length > 0) {
      print(`${heading}: ${missing.join(", ")} not there`);
      continue;
    }
    const names = argumentsIn(files.map((file) => readFileSync(join(folder, file))));
    if (names.length === 0) throw new Error(`${files.join(", ")}: there are no arguments any more`);
    const { same, added, gone } = comparePeer(
      names,
      texts.flatMap((text) => claimsIn(text, heading)),
    );
    print(
      `${heading}${versionIn(folder, manifest)}: ${same} arguments as the tables have them, ${added.length} new (+), ${gone.length} gone (-)`,
    );
    for (const name of added) print(`  + ${name}`);
    for (const name of gone) print(`  - ${name}`);
    differs ||= added.length + gone.length > 0;
  }
  return differs;
}

function versionIn(folder: string, manifest: string | undefined): string {
  if (manifest === undefined || !existsSync(join(folder, manifest))) return "";
  return ` ${(JSON.parse(readFileSync(join(folder, manifest), "utf8")) as { version: string }).version}`;
}

if (import.meta.main) {
  new Command("npm run peers:check --")
    .description(
      "Prints where the tables of docs/ and other tools' own schemas differ, argument by argument.",
    )
    .requiredOption("--dir <folder>", "npm packages (node_modules) and clones, or just the files")
    .addHelpText(
      "after",
      `
  npm install --prefix FOLDER --ignore-scripts @pulumi/aws-iam aws-cdk-lib
  git -C FOLDER clone https://github.com/eksctl-io/eksctl
  git -C FOLDER clone https://github.com/terraform-aws-modules/terraform-aws-iam

Exit codes: 0 the tables have them all, 1 an argument is new or gone.`,
    )
    .action(({ dir }: { dir: string }) => {
      if (!existsSync(dir)) throw new Error(`There is no folder ${dir}.`);
      process.exitCode = checkPeers(dir, console.log) ? 1 : 0;
    })
    .parse();
}
