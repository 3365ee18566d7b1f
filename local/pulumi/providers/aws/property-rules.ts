import { isIPv4 } from "node:net";
import type { Property } from "../../provider-host/index.ts";

/** Inputs as operations get them: with the name that `nameProperty` gives where the program says none. */
export type Named<Inputs, Key extends string = "name"> = Inputs & Readonly<Record<Key, string>>;

/** A name that stays: made of the logical name, or of `<property>Prefix` and the 26 characters that Terraform adds. */
export const nameProperty = (maxLength: number, more: { lowerCase?: boolean } = {}): Property => ({
  replace: true,
  autoName: { maxLength, afterPrefix: 26, ...more },
});

/** For a list of which the real provider wants one item at least. */
export const refuseEmpty = (value: unknown): string | undefined =>
  Array.isArray(value) && value.length === 0 ? "requires 1 item minimum, but has only 0 declared" : undefined;

/** For IPv4 blocks: the real provider refuses one whose address has bits behind the prefix. */
export function refuseCidrs(value: unknown): string | undefined {
  for (const block of Array.isArray(value) ? value : [value]) {
    const [, address = "", bits = ""] = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(String(block)) ?? [];
    if (!isIPv4(address) || Number(bits) > 32) return `"${block}" is not a valid IPv4 CIDR block`;
    const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
    const size = 2 ** (32 - Number(bits));
    const network = Math.floor(number / size) * size;
    if (network === number) continue;
    const wanted = [24, 16, 8, 0].map((shift) => Math.floor(network / 2 ** shift) % 256).join(".");
    return `"${block}" is not a valid IPv4 CIDR block; did you mean "${wanted}/${bits}"?`;
  }
  return undefined;
}

/** Where IAM's roles and policies are until somebody says otherwise. */
export const path: Property = { replace: true, default: "/" };

/** For what the service fills in: the real provider leaves what is there when a program no longer says it. */
export const keptWhereNoneIsGiven = (_: unknown, given: unknown): boolean => given === undefined;
