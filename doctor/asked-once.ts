import type { World } from "./world.ts";

/**
 * A world that is asked each question once in a walk: links that need the same are given the same answer. STS is asked as
 * often as links ask it: its answer is no fact that stays.
 */
export const askedOnce = (world: World): World => ({
  ...world,
  eks: once(world.eks),
  iam: once(world.iam),
  targetIam: once(world.targetIam),
  kubernetes: once(world.kubernetes),
});

function once<Part extends object>(part: Part): Part {
  const answers = new Map<string, unknown>();
  return new Proxy(part, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return (...asked: unknown[]) => {
        const question = JSON.stringify([name, ...asked]);
        if (!answers.has(question)) answers.set(question, method.apply(target, asked));
        return answers.get(question);
      };
    },
  });
}
