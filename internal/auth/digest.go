package auth

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
)

// Digest is the id of a credential "user:password" in the scheme digest: the user, a colon and the padded base64 of the hash
// of the whole credential. One without a colon is all user. The algorithm is by Java's name, in any case; an unknown one is
// an error.
func Digest(alg, userPassword string) (string, error) {
	h := hasher(alg)
	if h == nil {
		return "", fmt.Errorf("unknown digest algorithm %q", alg)
	}
	user, _, _ := strings.Cut(userPassword, ":")
	h.Write([]byte(userPassword))
	return user + ":" + base64.StdEncoding.EncodeToString(h.Sum(nil)), nil
}

// hasher knows the algorithms of Java's own providers, but for MD2; nil is unknown.
func hasher(alg string) hash.Hash {
	switch strings.ToUpper(alg) {
	case "SHA", "SHA1", "SHA-1":
		return sha1.New()
	case "SHA-224", "SHA224":
		return sha256.New224()
	case "SHA-256", "SHA256":
		return sha256.New()
	case "SHA-384", "SHA384":
		return sha512.New384()
	case "SHA-512", "SHA512":
		return sha512.New()
	case "SHA-512/224", "SHA512/224":
		return sha512.New512_224()
	case "SHA-512/256", "SHA512/256":
		return sha512.New512_256()
	case "SHA3-224":
		return sha3.New224()
	case "SHA3-256":
		return sha3.New256()
	case "SHA3-384":
		return sha3.New384()
	case "SHA3-512":
		return sha3.New512()
	case "MD5":
		return md5.New()
	}
	return nil
}

// validDigest tells whether id may stand in a list: two parts around a colon, where empty parts at the end do not count.
func validDigest(id string) bool { return strings.Count(strings.TrimRight(id, ":"), ":") == 1 }
