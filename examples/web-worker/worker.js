const everyMs = Number(process.env.WORKER_INTERVAL_MS) || 1000;
let ticks = 0;
console.log('worker is working');
const timer = setInterval(() => console.log(`tick ${++ticks}`), everyMs);
process.on('SIGTERM', () => {
  clearInterval(timer);
  console.log('worker is done');
});
