#!/bin/sh
# The plugins as files: each exports tb_plugin alone, needs libc alone, says its SDK in a note that survives strip, and holds nothing that
# could change. Built here once more without sanitizers, as a third party would.
set -u
source_dir=${TB_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
build_dir=${TB_BUILD:-$source_dir}
headers=$source_dir/sdk/include
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0
version_of () {
  sed -n "s/^#define TB_SDK_$1 //p" "$headers/tillbridge/base.h"
}
major=$(version_of MAJOR)
minor=$(version_of MINOR)

# check NAME FOUND EXPECTED: one line of TAP
check () {
  number=$((number + 1))
  if [ "$2" = "$3" ]; then
    echo "ok $number - $1"
  else
    echo "not ok $number - $1"
    printf '%s\n' "expected: $3" "found: $2" | sed 's/^/# /'
  fi
}
exports () {
  nm -D --defined-only "$1" 2>&1 | awk '{ print $NF }' | sort | tr '\n' ' '
}
needs () {
  readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort | tr '\n' ' '
}
# The note's content: major and minor, four bytes each, as readelf prints them
note () {
  readelf -n "$1" 2>/dev/null | awk '/^  Tillbridge /{ its = 1 } its && /description data/ { print $3 $7; exit }'
}
size_of () {
  readelf -SW "$1" | sed 's/^ *\[ *[0-9]*\] *//' | awk -v name="$2" '$1 == name { size = $5 } END { print size == "" ? "none" : size }'
}

for folder in "$source_dir"/plugins/*/; do
  name=$(basename "$folder")
  [ -f "$folder/Makefile.inc" ] || continue
  built=$build_dir/plugins/$name/.libs/$name.so
  check "$name.so as it was built exports tb_plugin alone" "$(exports "$built")" "tb_plugin "
  grep -q '^#define SANITIZED' "$build_dir/config.h" || check "$name.so as it was built needs libc alone" "$(needs "$built")" "libc.so.6 "
  file=$work/$name.so
  gcc -std=gnu11 -O2 -fPIC -shared -nostartfiles -fvisibility=hidden -Wl,-z,defs -I"$headers" -o "$file" "$folder"/*.c > "$work/said" 2>&1
  check "$name.so can be built with the headers alone" "$(cat "$work/said")" ""
  check "$name.so exports tb_plugin alone" "$(exports "$file")" "tb_plugin "
  check "$name.so needs libc alone" "$(needs "$file")" "libc.so.6 "
  check "$name.so says its SDK in a note" "$(note "$file")" "$(printf '%02x%02x' "$major" "$minor")"
  strip --strip-unneeded "$file"
  check "$name.so says so after strip too" "$(note "$file")" "$(printf '%02x%02x' "$major" "$minor")"
  check "$name.so was built with one SDK" "$(readelf -p .comment "$file" | grep -o 'tillbridge-sdk .*' | sort -u)" "tillbridge-sdk $major.$minor"
  check "$name.so has no variables" "$(size_of "$file" .data) $(size_of "$file" .bss)" "none none"
  check "$name.so runs nothing when it is loaded" "$(size_of "$file" .init_array) $(size_of "$file" .init)" "none none"
done

for file in "$build_dir"/tests/bad-plugins/.libs/*.so; do
  name=$(basename "$file" .so)
  [ "$name" = no-symbol ] || check "$name.so of the bad plugins exports tb_plugin alone" "$(exports "$file")" "tb_plugin "
done
# the guide shows what is tested
sed -n '/^```c$/,/^```$/p' "$source_dir/docs/plugins.md" | sed '1d;$d' > "$work/shown.c"
sed -n '/^#include/,$p' "$source_dir/tests/bad-plugins/millrace.c" | diff - "$work/shown.c" > "$work/said"
check "docs/plugins.md shows millrace.c" "$(cat "$work/said")" ""
echo "1..$number"
