const { createServer } = require("node:http");
const { hello } = require("./build/Release/hello.node");

const server = createServer((_, answer) => answer.end(`${hello()}\n`));
server.listen(process.env.PORT);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
