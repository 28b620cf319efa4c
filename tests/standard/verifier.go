// Checks what the logs sign with packages that nobody here wrote: golang.org/x/mod/sumdb/note and tlog.
//
//	verifier receipt LOGS WITNESSES FILE       a C2SP tlog-proof; prints its row and how many witnesses signed
//	verifier evidence LOGS FILE                says whether the file proves that a log was rewritten
//	verifier tiles LOGS URL TOKEN FILE         has tiles over HTTP prove that the log goes on from the checkpoint in FILE
//
// LOGS and WITNESSES hold public keys (vkeys), one a line. Exit code 1: it does not hold.
package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/ioutil"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error) {
	if err != nil {
		fmt.Println("does not hold:", err)
		os.Exit(1)
	}
}

// cosigner verifies C2SP tlog-cosignature, which sumdb/note does not know.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }
func (c *cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	head := fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(sig[:8]))
	return ed25519.Verify(c.key, append([]byte(head), msg...), sig[8:])
}

func lines(file string) []string {
	text, err := ioutil.ReadFile(file)
	must(err)
	return strings.Fields(string(text))
}

func logs(file string) []note.Verifier {
	var found []note.Verifier
	for _, vkey := range lines(file) {
		one, err := note.NewVerifier(vkey)
		must(err)
		found = append(found, one)
	}
	return found
}

func witnesses(file string) []note.Verifier {
	var found []note.Verifier
	for _, vkey := range lines(file) {
		parts := strings.SplitN(vkey, "+", 3)
		hash, err := hex.DecodeString(parts[1])
		must(err)
		key, err := base64.StdEncoding.DecodeString(parts[2])
		must(err)
		if key[0] != 4 || len(key) != 33 {
			must(fmt.Errorf("no key of a witness: %s", parts[0]))
		}
		found = append(found, &cosigner{parts[0], binary.BigEndian.Uint32(hash), key[1:]})
	}
	return found
}

// opened returns a checkpoint (origin, size, root), and how many others than the log signed it.
func opened(text []byte, known []note.Verifier) (string, tlog.Tree, int) {
	found, err := note.Open(text, note.VerifierList(known...))
	must(err)
	body := strings.Split(found.Text, "\n")
	size, err := strconv.ParseInt(body[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(body[2])
	must(err)
	own, others := 0, 0
	for _, one := range found.Sigs {
		if one.Name == body[0] {
			own++
		} else {
			others++
		}
	}
	if own == 0 {
		must(fmt.Errorf("not signed by the log that it names"))
	}
	return body[0], tlog.Tree{N: size, Hash: root}, others
}

func hashes(texts []string) []tlog.Hash {
	var found []tlog.Hash
	for _, text := range texts {
		one, err := tlog.ParseHash(text)
		must(err)
		found = append(found, one)
	}
	return found
}

func receipt(known []note.Verifier, file string) {
	text, err := ioutil.ReadFile(file)
	must(err)
	parts := bytes.SplitN(text, []byte("\n\n"), 2)
	head := strings.Split(string(parts[0]), "\n")
	if head[0] != "c2sp.org/tlog-proof@v1" {
		must(fmt.Errorf("not a tlog-proof"))
	}
	covered, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(head[1], "extra "))
	must(err)
	index, err := strconv.ParseInt(strings.TrimPrefix(head[2], "index "), 10, 64)
	must(err)
	_, tree, cosigned := opened(parts[1], known)
	must(tlog.CheckRecord(hashes(head[3:]), tree.N, tree.Hash, index, tlog.RecordHash(covered)))
	position := binary.BigEndian.Uint64(covered)
	if position != uint64(index)+1 {
		must(fmt.Errorf("the row at %d is not the leaf at %d", position, index))
	}
	length := binary.BigEndian.Uint32(covered[40:])
	fmt.Printf("cosigned by %d\n%s\n", cosigned, covered[44:44+length])
}

func evidence(known []note.Verifier, file string) {
	var found struct {
		Seen, Shown, Root string
		Proof             []string
	}
	text, err := ioutil.ReadFile(file)
	must(err)
	must(json.Unmarshal(text, &found))
	origin, seen, _ := opened([]byte(found.Seen), known)
	other, shown, _ := opened([]byte(found.Shown), known)
	if origin != other {
		must(fmt.Errorf("two logs"))
	}
	if seen.N == shown.N && seen.Hash != shown.Hash {
		fmt.Println("proven: two roots of one size were signed")
		return
	}
	root, err := tlog.ParseHash(found.Root)
	must(err)
	must(tlog.CheckTree(hashes(found.Proof), shown.N, shown.Hash, seen.N, root))
	if root == seen.Hash {
		must(fmt.Errorf("the log goes on from what was seen"))
	}
	fmt.Println("proven: the log that was shown begins with other rows than the one that was seen")
}

type reader struct{ url, token string }

func (r *reader) Height() int                       { return 8 }
func (r *reader) SaveTiles([]tlog.Tile, [][]byte) {}
func (r *reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, one := range tiles {
		// C2SP has the same addresses, but for the height, which is always 8.
		data, err := get(r.url+"/"+strings.Replace(one.Path(), "tile/8/", "tile/", 1), r.token)
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func get(url, token string) ([]byte, error) {
	asked, err := http.NewRequest("GET", url, nil)
	must(err)
	asked.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(asked)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != 200 {
		return nil, fmt.Errorf("%s: %s", url, answer.Status)
	}
	return ioutil.ReadAll(answer.Body)
}

func tiles(known []note.Verifier, url, token, file string) {
	text, err := ioutil.ReadFile(file)
	must(err)
	_, old, _ := opened(text, known)
	text, err = get(url+"/checkpoint", token)
	must(err)
	_, tree, _ := opened(text, known)
	read := tlog.TileHashReader(tree, &reader{url, token})
	proof, err := tlog.ProveTree(tree.N, old.N, read)
	must(err)
	must(tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash))
	root, err := tlog.TreeHash(tree.N, read)
	must(err)
	if root != tree.Hash {
		must(fmt.Errorf("the tiles are not of the checkpoint"))
	}
	fmt.Printf("%d rows go on from %d\n", tree.N, old.N)
}

func main() {
	arguments := os.Args[1:]
	switch arguments[0] {
	case "receipt":
		receipt(append(logs(arguments[1]), witnesses(arguments[2])...), arguments[3])
	case "evidence":
		evidence(logs(arguments[1]), arguments[2])
	case "tiles":
		tiles(logs(arguments[1]), arguments[2], arguments[3], arguments[4])
	default:
		must(fmt.Errorf("receipt, evidence or tiles"))
	}
}
