module example.com/tomorrow

go 1.99.0
