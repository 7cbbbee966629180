#!/bin/sh
# Writes the layout of every struct of the SDK, as clang lays it out (64 bits), to tests/unit/sdk-layout.h: a table of static asserts, so that a
# member that moved, or a struct that ends in padding, does not compile. Until 1.0 it is written anew with each wanted change:
#   sdk/layouts.sh > tests/unit/sdk-layout.h
# From 1.0 on a released table is never edited; the next minor gets a table of its own.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
headers=$here/include/tillbridge
names=$(cat "$headers"/*.h | sed -n -e 's/^} \(tb_[a-z_]*\);$/\1/p' -e 's/^struct \(tb_[a-z_]*\) {$/\1/p' | sort -u)
# enumerations are no structs
enums=$(cat "$headers"/*.h | sed -n 's/^typedef enum \(tb_[a-z_]*\) {.*/\1/p')
structs=$(for name in $names; do echo "$enums" | grep -qx "$name" || echo "$name"; done)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
{
  echo '#include <tillbridge/plugin.h>'
  for name in $structs; do echo "int use_$name[sizeof ($name)];"; done
} > "$work/all.c"
echo '/* Made by sdk/layouts.sh; see there. The place of every member of every struct, and that none ends in padding. */'
clang -std=c11 -I"$here/include" -fsyntax-only -Xclang -fdump-record-layouts "$work/all.c" 2>/dev/null |
  awk -v structs="$structs" '
    BEGIN { n = split (structs, list, /[ \n]+/); for (i = 1; i <= n; i++) wanted[list[i]] = 1 }
    function finish () { if (name != "" && last != "") { print "TB_LAST (" name ", " last ")"; seen[name] = 1 } name = last = "" }
    /\*\*\* Dumping AST Record Layout/ { finish (); head = 1; next }
    head { head = 0; name = $NF; if (!(name in wanted) || (name in seen)) name = ""; next }
    name != "" && /^ +[0-9]+ \|   [^ ]/ { at = $1; last = $NF; print "TB_PLACE (" name ", " last ", " at ")" }
    END { finish () }'
