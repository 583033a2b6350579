// Package recipes has what people build on ZooKeeper.
package recipes
