module github.com/zooid-io/zooid

go 1.26.0
