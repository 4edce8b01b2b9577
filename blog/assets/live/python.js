// 일꾼에게 일을 하나씩 맡깁니다. 끝나지 않는 셀은 일꾼을 새로 두어 멈춥니다.
export class Python {
  constructor(onProgress) {
    this.onProgress = onProgress;
    this.worker = null;
  }

  // 일을 맡기고 결과를 기다립니다. 도중에 나온 출력은 onOutput으로 옵니다.
  ask(job, details = {}, onOutput = () => {}) {
    this.worker ??= new Worker(new URL(WORKER, import.meta.url));
    const { worker } = this;
    return new Promise((resolve, reject) => {
      this.giveUp = () => reject(new Stopped());
      worker.onerror = (event) => reject(new Error(event.message));
      worker.onmessage = ({ data }) => {
        if (data.type === "progress") this.onProgress(data);
        else if (data.type === "output") onOutput(data);
        else if (data.type === "done") resolve(data.result);
        else reject(new Error(data.message));
      };
      worker.postMessage({ job, ...details });
    });
  }

  stop() {
    this.worker?.terminate();
    this.worker = null;
    this.giveUp?.();
  }
}

export class Stopped extends Error {}
