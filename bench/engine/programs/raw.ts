import { sdk } from "./classes.ts";
import { register } from "./resources.ts";

// The floor, run as it stands.

export default register(sdk);
