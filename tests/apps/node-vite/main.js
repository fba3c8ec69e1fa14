document.body.append("code of the page");
