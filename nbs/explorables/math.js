// 만져 보는 그림이 쓰는 식. 화면을 모릅니다. 값은 crossent.*와 1e-6 안에서 같습니다(tests/test_explorables.py).

export const sum = (values) => values.reduce((total, value) => total + value, 0);

// ---- 글 01: crossent.information

export const surprisal = (p, base = Math.E) => Math.abs(Math.log(p) / Math.log(base)); // −log 1 = −0을 0으로

// 0 · log 0 = 0
const expected = (p, values) => sum(p.map((weight, i) => (weight === 0 ? 0 : weight * values[i])));

export const entropy = (p, base = Math.E) => expected(p, p.map((v) => surprisal(v, base)));

export const crossEntropy = (p, q, base = Math.E) => expected(p, q.map((v) => surprisal(v, base)));

export const klDivergence = (p, q, base = Math.E) =>
  expected(p, p.map((v, i) => Math.log(v / q[i]) / Math.log(base)));

// probs[index]를 value로 바꾸고, 남은 몫을 나머지가 shares의 비율대로 나눠 갖습니다.
export function moveProbability(probs, index, value, shares = probs) {
  const others = sum(shares.filter((_, i) => i !== index));
  return probs.map((_, i) => {
    if (i === index) return value;
    const share = others > 0 ? shares[i] / others : 1 / (probs.length - 1);
    return (1 - value) * share;
  });
}

// ---- 글 02, 03, 05: crossent.softmax, crossent.reference

export function logsumexp(logits) {
  const max = Math.max(...logits);
  return max + Math.log(sum(logits.map((z) => Math.exp(z - max))));
}

export const logSoftmax = (logits) => logits.map((z) => z - logsumexp(logits));

export const softmax = (logits) => logSoftmax(logits).map(Math.exp);

// 손실 −log softmax(z / T)[y], 로짓에 대한 기울기 (p − y) / T
export function lossAndGradient(logits, target, temperature = 1) {
  const scaled = logits.map((z) => z / temperature);
  const probs = softmax(scaled);
  const difference = probs.map((p, i) => p - (i === target ? 1 : 0));
  return {
    probs,
    difference,
    loss: -logSoftmax(scaled)[target],
    gradient: difference.map((d) => d / temperature),
  };
}

// ---- 홈: 계산 그래프. crossent.plot.draw_graph와 같은 값입니다.

export function graph(logits, target) {
  const logProbs = logits.map(logSoftmax);
  const losses = logProbs.map((row, n) => -row[target[n]]);
  const dlosses = losses.map(() => 1 / losses.length);
  const dlogProbs = logProbs.map((row, n) => row.map((_, c) => (c === target[n] ? -dlosses[n] : 0)));
  // dz = dlog p − p · Σ dlog p
  const dlogits = dlogProbs.map((row, n) => row.map((d, c) => d - Math.exp(logProbs[n][c]) * sum(row)));
  return { logProbs, losses, loss: sum(losses) / losses.length, dlosses, dlogProbs, dlogits };
}

// ---- 글 03: float32. 연산 하나마다 Math.fround로 반올림합니다.

const f32 = Math.fround;
const exp32 = (x) => f32(Math.exp(x));
const log32 = (x) => f32(Math.log(x));
const sum32 = (values) => values.reduce((total, value) => f32(total + value), 0);

// 세 방법의 계산 과정을 차례로 돌려줍니다. logProbs가 마지막 값입니다.
export function logSoftmax32(logits, method) {
  const z = logits.map(f32);
  const max = method === "plain" ? 0 : Math.max(...z);
  const shifted = z.map((v) => f32(v - max));
  const exps = shifted.map(exp32);
  const total = sum32(exps);
  if (method === "logsumexp") {
    const logTotal = log32(total);
    return { exps, total, logTotal, logProbs: shifted.map((v) => f32(v - logTotal)) };
  }
  const probs = exps.map((e) => f32(e / total));
  return { exps, total, probs, logProbs: probs.map(log32) };
}

// ---- 글 08: crossent.reference.cross_entropy의 줄이기

// weight: 클래스 가중치, ignored: 표본마다 참이면 무시
export function reduceLosses({ logits, target, weight, ignored, reduction }) {
  const weights = target.map((y, n) => (ignored[n] ? 0 : weight[y]));
  const plain = logits.map((row, n) => -logSoftmax(row)[target[n]]);
  const losses = plain.map((loss, n) => (ignored[n] ? 0 : weights[n] * loss));
  const total = sum(losses);
  const mass = sum(weights);
  const denominator = reduction === "mean" ? mass : 1;
  return {
    plain,
    weights,
    losses,
    total,
    mass,
    scales: weights.map((w, n) => (ignored[n] ? 0 : w / denominator)), // 표본의 기울기 p − y에 곱해지는 값
    result: reduction === "none" ? losses : total / denominator,
  };
}

// ---- 글 07: 가중치 하나인 소프트맥스 회귀. 입력은 모두 4이고, 정답은 셋 가운데 둘이 1번, 하나가 0번입니다.

const INPUT = 4;
const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
export const lossOfWeight = (w) => (2 / 3) * softplus(-INPUT * w) + (1 / 3) * softplus(INPUT * w);
const slopeOfWeight = (w) => INPUT * (1 / (1 + Math.exp(-INPUT * w)) - 2 / 3);

// 경사 하강으로 지나는 가중치
export function descend(start, rate, steps) {
  const path = [start];
  for (let i = 0; i < steps; i++) path.push(path[i] - rate * slopeOfWeight(path[i]));
  return path;
}

// ---- 글 09: 정답의 로짓만 나머지보다 gap만큼 클 때, 레이블 스무딩 ε인 손실과 그것이 가장 작은 gap

export function smoothedLoss(gap, eps, classes) {
  const logTotal = logsumexp([gap, ...Array(classes - 1).fill(0)]);
  return logTotal - (1 - eps + eps / classes) * gap;
}
export const bestGap = (eps, classes) => Math.log((1 - eps + eps / classes) / (eps / classes));

// ---- 글 10: 가수가 bits비트인 자료형으로 반올림(짝수 쪽으로). 하나씩 더한 합

export function roundTo(x, bits) {
  if (x === 0 || !Number.isFinite(x)) return x;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(x))) - bits + 1);
  const scaled = x / unit;
  const low = Math.floor(scaled);
  const rest = scaled - low;
  return (rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low) * unit;
}
export function runningSums(value, count, bits) {
  const sums = [0];
  const term = roundTo(value, bits);
  for (let i = 1; i <= count; i++) sums.push(roundTo(sums[i - 1] + term, bits));
  return sums;
}

// ---- 글 12: 바이트 세기

export function memoryBytes({ n, v, h, size, rows }) {
  const chunk = Math.min(rows, n);
  return {
    hidden: n * h * size,
    weight: v * h * size,
    logits: n * v * size,
    copies: 3 * n * v * size, // 로짓, 로그 확률, 로짓의 기울기
    chunk: chunk * v * size,
    chunks: Math.ceil(n / chunk),
  };
}
