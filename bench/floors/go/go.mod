module floors

go 1.25
