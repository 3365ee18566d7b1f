/**
 * Refuses inputs that the real component takes and the stand-in does not: they would be ignored.
 *
 * @throws Error that names them.
 */
export function known(component: string, args: object, inputs: readonly string[]): void {
  const others = Object.entries(args)
    .filter(([key, value]) => value !== undefined && !inputs.includes(key))
    .map(([key]) => key);
  if (others.length > 0) {
    throw new Error(`the local stand-in for ${component} does not know ${others.join(", ")}`);
  }
}
