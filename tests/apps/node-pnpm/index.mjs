import { createServer } from "node:http";
import { existsSync } from "node:fs";
import ms from "ms";

const server = createServer((_, answer) => answer.end(`Hello from pnpm: ${ms(3600000)}, dev: ${existsSync("node_modules/is-odd")}\n`));
server.listen(process.env.PORT);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
