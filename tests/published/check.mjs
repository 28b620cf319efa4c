// Reads published documents with the tools of others: the AsyncAPI parser, and ajv in strict mode.
import { Parser } from "@asyncapi/parser";
import addFormats from "ajv-formats";
import Ajv2020 from "ajv/dist/2020.js";
import { readFileSync, readdirSync } from "node:fs";

const faults = [];
const parser = new Parser();
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: false });
addFormats(ajv);
for (const keyword of ["x-minimum", "x-maximum"]) ajv.addKeyword(keyword);
let documents = 0, schemas = 0, examples = 0;
for (const name of readdirSync("asyncapi")) {
  const { document, diagnostics } = await parser.parse(readFileSync(`asyncapi/${name}`, "utf8"));
  const errors = diagnostics.filter((one) => one.severity === 0);
  if (!document || errors.length) faults.push(`${name}: ${errors.slice(0, 3).map((one) => `${one.message} at ${one.path.join("/")}`)}`);
  documents++;
}
for (const name of readdirSync("schemas")) {
  const schema = JSON.parse(readFileSync(`schemas/${name}`, "utf8"));
  try {
    const valid = ajv.compile(schema);
    for (const example of schema.examples ?? []) {
      examples++;
      if (!valid(example)) faults.push(`${name}: refuses its example: ${ajv.errorsText(valid.errors)}`);
    }
    const { examples: [example] = [{}] } = schema;
    if (valid({ ...example, specversion: "9" })) faults.push(`${name}: takes what is wrong`);
  } catch (error) {
    faults.push(`${name}: ${error.message}`);
  }
  schemas++;
}
for (const fault of faults.slice(0, 20)) console.error(fault);
console.log(`${documents} documents, ${schemas} schemas, ${examples} examples, ${faults.length} faults`);
process.exit(faults.length ? 1 : 0);
