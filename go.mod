module github.com/zooid-io/zooid

go 1.26.0

require github.com/google/go-cmp v0.7.0
