// 일꾼: 파이썬을 불러와 셀을 하나씩 돌립니다. 페이지와는 따로 돌아서, 셀이 오래 걸려도 페이지가 멈추지 않습니다.
import { loadPyodide } from "pyodide";

const base = new URL(".", location);
const held = new Map(); // 받은 파일: 이름 → 바이트
let python, kernel, makeKernel;

// 파일 하나를 받습니다. 한 번 받은 것은 브라우저에 두고 다시 받지 않습니다.
async function bring({ name, hash }, arrived) {
  const address = new URL(`${name}?${hash}`, base).href;
  const store = await globalThis.caches?.open("crossent-live").catch(() => null);
  let response = await store?.match(address);
  if (!response) {
    response = await fetch(address);
    if (!response.ok) throw new Error(`${response.status} ${name}`);
    store?.put(address, response.clone()).catch(() => {});
  }
  const parts = [];
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    arrived(value.length);
  }
  let bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  if (name.endsWith(".z") && bytes[0] === 0x1f && bytes[1] === 0x8b) {
    const open = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    bytes = new Uint8Array(await new Response(open).arrayBuffer());
  }
  held.set(name.replace(/\.z$/, ""), bytes);
}

async function bringAll(files, tell) {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let got = 0, told = 0;
  await Promise.all(files.map((file) => bring(file, (length) => {
    got += length;
    if (got - told > 2e5 || got === total) tell({ got: (told = got), total });
  })));
}

// 지난번 판의 파일은 지웁니다.
async function forgetOld() {
  const store = await globalThis.caches?.open("crossent-live").catch(() => null);
  const known = new Set([...FIRST, ...LATER].map(({ name, hash }) => new URL(`${name}?${hash}`, base).href));
  for (const request of (await store?.keys()) ?? []) if (!known.has(request.url)) store.delete(request);
}

// 파이썬이 찾는 파일은 이미 받아 둔 것에서 내줍니다.
const TYPES = { wasm: "application/wasm", json: "application/json" };
const outside = fetch;
self.fetch = (request, options) => {
  const name = String(request.url ?? request).split("/").pop();
  const bytes = held.get(name);
  if (!bytes) return outside(request, options);
  const type = TYPES[name.split(".").pop()] ?? "application/octet-stream";
  return Promise.resolve(new Response(bytes, { headers: { "Content-Type": type } }));
};

const quiet = { messageCallback() {}, checkIntegrity: false };
const draws = (source) => new RegExp(DRAWS).test(source);
const tell = (progress) => postMessage({ type: "progress", ...progress });

async function load({ source }) {
  await bringAll(FIRST, tell);
  forgetOld();
  importScripts(URL.createObjectURL(new Blob([held.get("pyodide.asm.js")], { type: "text/javascript" })));
  python = await loadPyodide({ indexURL: base.href, env: { HOME: "/home/live", MPLBACKEND: "agg" } });
  await python.loadPackage("numpy", quiet);
  python.unpackArchive(held.get("python.tar.gz"), "gztar", { extractDir: "/live" });
  held.clear();
  python.runPython("import sys; sys.path.insert(0, '/live')");
  makeKernel = python.pyimport("kernel").Kernel;
  kernel = makeKernel();
  if (draws(source)) bringLater().catch(() => {}); // 그림을 그리는 글이면 읽는 동안 이어 받습니다
}

// 그림 그릴 것. 기다리는 셀이 있을 때만 얼마나 받았는지 알립니다.
let coming = null, waiting = false, canDraw = false;
function bringLater() {
  const told = (progress) => waiting && tell({ ...progress, later: true });
  return (coming ??= bringAll(LATER, told).catch((error) => { coming = null; throw error; }));
}

async function prepare(source) {
  if (canDraw || !draws(source)) return;
  waiting = true;
  await bringLater();
  await python.loadPackage("matplotlib", quiet);
  for (const name of ["font.otf", "digits.csv.gz"]) python.FS.writeFile(`/live/${name}`, held.get(name));
  held.clear();
  canDraw = true;
}

const emit = (kind, data) => postMessage({ type: "output", kind, data });
const jobs = {
  load,
  reset: () => { kernel = makeKernel(); },
  names: ({ source }) => JSON.parse(kernel.found_json(source)),
  run: async ({ source, label }) => {
    await prepare(source);
    return JSON.parse(kernel.run_json(source, label, emit));
  },
  check: async ({ source, check, own, label }) => {
    await prepare(source + check);
    return JSON.parse(kernel.check_json(source, check, JSON.stringify(own), label, emit));
  },
};

onmessage = async ({ data }) => {
  try {
    postMessage({ type: "done", result: (await jobs[data.job](data)) ?? {} });
  } catch (error) {
    postMessage({ type: "failed", message: String(error) });
  }
};
