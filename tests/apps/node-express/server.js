const express = require("express");

const app = express();
app.get("/", (_, answer) => answer.send(`Hello from express, Node.js ${process.version}, ${process.env.NODE_ENV}\n`));
const server = app.listen(process.env.PORT, () => console.log("listening"));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
