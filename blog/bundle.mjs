// 스크립트 하나와 그것이 부르는 꾸러미를 한 파일로 묶습니다. live.py가 부릅니다.
import { buildSync } from "esbuild";
import { readFileSync } from "node:fs";

const { file, define } = JSON.parse(readFileSync(0, "utf8"));
const format = file.endsWith("worker.js") ? "iife" : "esm";
const external = ["node:*", "ws"];
const { outputFiles } = buildSync({ entryPoints: [file], bundle: true, minify: true, charset: "utf8", target: "es2022", format, define, external, write: false, legalComments: "none", logLevel: "error" });
process.stdout.write(outputFiles[0].contents);
