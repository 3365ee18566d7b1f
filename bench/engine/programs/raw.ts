import { register } from "./resources.ts";
import { sdk } from "./sdk.ts";

// The floor, run as it stands.

export default register(sdk);
