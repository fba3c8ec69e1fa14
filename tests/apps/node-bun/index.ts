import ms from "ms";

const server = Bun.serve({
  port: process.env.PORT,
  fetch: () => new Response(`Hello from Bun ${Bun.version}: ${ms(3600000)}\n`),
});
process.on("SIGTERM", async () => {
  await server.stop();
  process.exit(0);
});
