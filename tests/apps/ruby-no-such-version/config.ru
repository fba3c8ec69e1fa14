run ->(_) { [200, {}, ["never seen"]] }
