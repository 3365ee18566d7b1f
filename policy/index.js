import { pack } from "./pack.ts";

// What Pulumi's analyzer loads (`main` in package.json): in JavaScript, since its runner would compile TypeScript that it
// is given itself, by an old compiler. What is imported from here Node.js runs as it stands.

pack();
