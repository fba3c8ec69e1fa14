console.log("Bundling 3 pages");
console.error("pages/about.md: the picture team.jpg is missing");
process.exit(2);
