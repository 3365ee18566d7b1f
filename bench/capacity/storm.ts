// What happens when many pods ask STS for their first credentials at once: a discrete simulation, the same for the same
// seed. STS takes from a token bucket, and refuses when it is empty; an SDK tries again after a random wait that grows,
// and when its attempts are used up the container ends and the kubelet starts it again after a wait that doubles.

export interface Storm {
  /** Processes that ask, one a pod unless a pod has several. */
  readonly processes: number;
  /** Seconds over which they start, evenly. */
  readonly spreadSeconds: number;
  /** Calls a second that STS answers for good. */
  readonly ratePerSecond: number;
  /** Calls that it answers at once when nobody has asked for a while. */
  readonly burst: number;
  /** Attempts of one call. */
  readonly attempts: number;
  /** Longest wait between two attempts, in seconds. */
  readonly longestBackoff: number;
  /** Wait before a container that ended is started again: the first time, and at most, in seconds. */
  readonly restartFirst: number;
  readonly restartLongest: number;
  readonly seed: number;
}

export interface StormResult {
  /** Seconds until half of all have credentials, until 99 in 100, and until the last. */
  readonly half: number;
  readonly most: number;
  readonly all: number;
  /** Calls of all, the refused ones among them. */
  readonly calls: number;
  readonly refused: number;
  /** Containers that ended for want of credentials, each time counted. */
  readonly restarts: number;
}

const ticksPerSecond = 100;
const longest = 48 * 3600 * ticksPerSecond;

/** @throws Error when not everybody has credentials after two days. */
export function simulateStorm(storm: Storm): StormResult {
  const random = randomFrom(storm.seed);
  const callers = new Callers();
  for (let process = 0; process < storm.processes; process++) {
    callers.add(Math.floor(random() * storm.spreadSeconds * ticksPerSecond), { attempt: 1, restarts: 0 });
  }
  const refill = storm.ratePerSecond / ticksPerSecond;
  let tokens = storm.burst;
  const [served, counts] = [[] as number[], { calls: 0, refused: 0, restarts: 0 }];
  for (let tick = 0; served.length < storm.processes; tick++) {
    if (tick > longest) throw new Error(`After two days ${storm.processes - served.length} have none.`);
    for (const caller of callers.take(tick)) {
      counts.calls++;
      if (tokens >= 1) {
        tokens--;
        served.push(tick / ticksPerSecond);
        continue;
      }
      counts.refused++;
      const { wait, next } = afterRefusal(caller, storm, random);
      if (next.restarts > caller.restarts) counts.restarts++;
      callers.add(tick + Math.max(1, Math.round(wait * ticksPerSecond)), next);
    }
    tokens = Math.min(storm.burst, tokens + refill);
  }
  const at = (part: number): number =>
    served[Math.min(served.length - 1, Math.ceil(served.length * part) - 1)] ?? 0;
  return { half: at(0.5), most: at(0.99), all: at(1), ...counts };
}

interface Caller {
  /** Which attempt of its call the next one is. */
  readonly attempt: number;
  readonly restarts: number;
}

function afterRefusal(
  { attempt, restarts }: Caller,
  storm: Storm,
  random: () => number,
): { wait: number; next: Caller } {
  if (attempt < storm.attempts) {
    const wait = Math.min(storm.longestBackoff, random() * 2 ** attempt);
    return { wait, next: { attempt: attempt + 1, restarts } };
  }
  const wait = Math.min(storm.restartLongest, storm.restartFirst * 2 ** restarts);
  return { wait, next: { attempt: 1, restarts: restarts + 1 } };
}

/** Who calls at which tick. */
class Callers {
  readonly #at = new Map<number, Caller[]>();

  add(tick: number, caller: Caller): void {
    const there = this.#at.get(tick);
    if (there) there.push(caller);
    else this.#at.set(tick, [caller]);
  }

  take(tick: number): Caller[] {
    const callers = this.#at.get(tick) ?? [];
    this.#at.delete(tick);
    return callers;
  }
}

/** Numbers from 0 to 1 by the mulberry32 generator: enough for a simulation, and the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
