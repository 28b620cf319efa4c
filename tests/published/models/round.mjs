// Reads samples into generated models and writes them again: a line of JSON in, a line out.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(import.meta.url);
for await (const line of createInterface({ input: process.stdin })) {
  const { tool, module, sample } = JSON.parse(line), text = JSON.stringify(sample);
  try {
    const found = require(`./js/${module}.js`);
    const written = tool === "quicktype"
      ? found.Convert.modelToJson(found.Convert.toModel(text)) : found.default.unmarshal(text).marshal();
    console.log(JSON.stringify({ written: JSON.parse(written) }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error.message).slice(0, 300) }));
  }
}
