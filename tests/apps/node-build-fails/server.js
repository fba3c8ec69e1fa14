require("node:http").createServer((_, answer) => answer.end("never\n")).listen(process.env.PORT);
