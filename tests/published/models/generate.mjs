// Has quicktype (from the JSON Schemas) or Modelina (from the AsyncAPI documents) make models in TypeScript and Java.
// <tool>.json says which class is whose: "<type>-<event or report>" -> its module and its class in Java.
import {
  JAVA_JACKSON_PRESET, JavaGenerator, TS_COMMON_PRESET, TypeScriptGenerator,
} from "@asyncapi/modelina";
import { InputData, JSONSchemaInput, quicktype, quicktypeMultiFile } from "quicktype-core";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";

const models = {};
const write = (folder, name, text) => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/${name}`, text);
};

// Debian's Jackson says of one method that it throws more than Jackson's own does.
const debian = (text) => text.replace("toJsonString(Model obj) throws JsonProcessingException", "toJsonString(Model obj) throws IOException");

// Modelina's lines that write what may be null forget that it may be.
const nullable = (text) => text.replaceAll(/if\(this\.(\w+) !== undefined\)/g, "if (this.$1 != null)");

async function read(schema) {
  const source = new JSONSchemaInput(undefined);
  await source.addSource({ name: "Model", schema });
  const inputData = new InputData();
  inputData.addInput(source);
  return inputData;
}

async function quicktypes() {
  for (const [number, file] of readdirSync("schemas").entries()) {
    const schema = readFileSync(`schemas/${file}`, "utf8"), name = `quicktype${number}`;
    // As text: JavaScript's Date has no microseconds, and takes a day for the moment that it begins.
    const asText = { inferDateTimes: false };
    const { lines } = await quicktype({ inputData: await read(schema), lang: "typescript", ...asText });
    write("ts", `${name}.ts`, lines.join("\n"));
    const found = { module: name };
    if (file.endsWith("-event.json")) {
      const java = { inputData: await read(schema), lang: "java", rendererOptions: { package: name } };
      for (const [one, { lines: text }] of await quicktypeMultiFile(java)) write(`java/${name}`, one, debian(text.join("\n")));
      found.java = `${name}.Converter`;
    }
    models[file.replace(".json", "")] = found;
  }
}

async function modelinas() {
  const typescript = new TypeScriptGenerator({
    modelType: "class", presets: [{ preset: TS_COMMON_PRESET, options: { marshalling: true } }],
  });
  const java = new JavaGenerator({ collectionType: "List", presets: [JAVA_JACKSON_PRESET] });
  for (const file of readdirSync("asyncapi")) {
    const document = JSON.parse(readFileSync(`asyncapi/${file}`, "utf8"));
    const place = file.replace(".json", "").replace("-", "_");
    for (const one of await typescript.generateCompleteModels(document, { moduleSystem: "ESM" })) {
      write(`ts/${place}`, `${one.modelName}.ts`, nullable(one.result));
      const id = one.model.originalInput["x-parser-schema-id"] ?? "";
      const [, type, kind] = /^(crm\..*)\.(event|report)$/.exec(id) ?? [];
      if (type) models[`${type}-${kind}`] = { module: `${place}/${one.modelName}`, java: `${place}.${one.modelName}` };
    }
    for (const one of await java.generateCompleteModels(document, { packageName: place })) {
      write(`java/${place}`, `${one.modelName}.java`, one.result);
    }
  }
}

const [tool] = process.argv.slice(2);
await { quicktype: quicktypes, modelina: modelinas }[tool]();
writeFileSync(`${tool}.json`, JSON.stringify(models));
