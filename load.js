// Loads a TypeScript module of this project as one compiled file, so that a run starts as fast as JavaScript would. The
// file is made by esbuild the first time and again whenever one of its sources is another than it was then: there is
// nothing to build by hand, and nothing stale. There is no type check; `npm test` does that.
//
// Measured (`npm run bench -- engine`): the program loads in 50 ms, where it takes 165 ms compiled module by module as it
// is loaded, and seconds by Pulumi's own runner, which checks types at every start.

const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");

/**
 * @param {string} entry Name of the module, without its ending, in this folder.
 * @returns {unknown} What the module exports.
 */
exports.load = (entry) => {
  const file = path.join(__dirname, "dist", `${entry.replaceAll("/", "-")}.program.js`);
  const stampFile = `${file}.json`;
  if (isFresh(read(stampFile)) && fs.existsSync(file)) return require(file);

  const { code, inputs } = compile(entry, file);
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    // The stamp comes last: whoever finds it finds the file that it is about.
    replace(file, code);
    replace(stampFile, JSON.stringify(stampOf(inputs)));
  } catch (error) {
    // A folder that cannot be written to is no reason not to run.
    if (!["EACCES", "EPERM", "EROFS"].includes(error.code)) throw error;
    const module = new Module(file, null);
    module.filename = file;
    module.paths = Module._nodeModulePaths(__dirname);
    module._compile(code, file);
    return module.exports;
  }
  return require(file);
};

/**
 * Has stack traces left as they are. The SDK takes several for every resource, and its runner has each of them mapped back
 * to sources: a tenth of a small program's time, and of 500 bindings' under mocks 14 s where it is 3.4 s without.
 */
exports.leaveStackTraces = () => {
  process.setSourceMapsEnabled(false);
  Error.prepareStackTrace = undefined; // `source-map-support` of the runner
};

/** Compiles a module and what it needs of this project. Packages stay what they are, but for zod, of which a part is used. */
function compile(entry, file) {
  const { outputFiles, metafile } = require("esbuild").buildSync({
    absWorkingDir: __dirname,
    entryPoints: [`./${entry}`],
    outfile: file,
    write: false,
    bundle: true,
    preserveSymlinks: true, // so that a package is below node_modules, whatever that is
    metafile: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    external: ["@pulumi/*", "@balena/*"],
    logLevel: "warning",
  });
  return { code: outputFiles[0].text, inputs: Object.keys(metafile.inputs) };
}

/** Sources by their size and time of change. Of a package only its version counts: nobody edits those. */
function stampOf(inputs) {
  const own = inputs.filter((input) => !input.startsWith("node_modules/"));
  const packages = new Set(
    inputs
      .filter((input) => !own.includes(input))
      .map((input) => `${/^node_modules\/(@[^/]+\/)?[^/]+/.exec(input)[0]}/package.json`),
  );
  return Object.fromEntries([...own, "load.js", ...packages].map((input) => [input, seen(input)]));
}

function seen(input) {
  const stat = fs.statSync(path.join(__dirname, input), { throwIfNoEntry: false });
  return stat && `${stat.size} ${stat.mtimeMs}`;
}

const isFresh = (stamp) =>
  stamp !== undefined && Object.entries(stamp).every(([input, was]) => seen(input) === was);

function read(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return undefined; // not made yet
  }
}

/** Whoever reads the file meanwhile sees the one before or this one, never a part. */
function replace(file, text) {
  const own = `${file}.${process.pid}`;
  fs.writeFileSync(own, text);
  fs.renameSync(own, file);
}
