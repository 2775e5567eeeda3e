// The same programs in V8. Reads lines `FILE TIMES` and answers each with the nanoseconds that so many blocks took.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const programs = new Map();

function program(file) {
  let found = programs.get(file);
  if (!found) {
    const module = new WebAssembly.Module(readFileSync(file));
    const [wanted] = WebAssembly.Module.imports(module);
    // The limits have to fit exactly, and the module does not tell them: from small to large until one does.
    for (let pages = 1; pages <= 1024 && !found; pages++) {
      try {
        const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
        const { exports } = new WebAssembly.Instance(module, { [wanted.module]: { [wanted.name]: memory } });
        (exports.init ?? exports.initDefaults)();
        found = exports.buffer;
      } catch (error) {
        if (!(error instanceof WebAssembly.LinkError)) throw error;
      }
    }
    programs.set(file, found);
  }
  return found;
}

for await (const line of createInterface({ input: process.stdin })) {
  const [file, times] = line.split("\t");
  const buffer = program(file);
  const start = process.hrtime.bigint();
  for (let n = Number(times); n > 0; n--) buffer();
  process.stdout.write(`${process.hrtime.bigint() - start}\n`);
}
