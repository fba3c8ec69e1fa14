import { createServer } from "node:http";
import sirv from "sirv";

const server = createServer(sirv("dist"));
server.listen(process.env.PORT);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
