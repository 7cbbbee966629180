#!/bin/sh
# The SDK's headers, as strangers compile them: each alone, in C and C++, without a warning; what must not compile does not; and every
# struct that crosses the border has an entry in the table of sizes.
set -u
source_dir=${TB_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
headers=$source_dir/sdk/include
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0
strict="-Wall -Wextra -Wpedantic -Wshadow -Wundef -Wformat=2 -Werror"

# say OK NAME: one line of TAP, and what the compiler said where it is not ok
say () {
  number=$((number + 1))
  if [ "$1" = yes ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; sed 's/^/# /' "$work/said"; fi
}
skip () {
  number=$((number + 1))
  echo "ok $number - $1 # SKIP $2"
}

# compiles COMPILER...: every header alone, and all of a plugin
compiles () {
  for header in "$headers"/tillbridge/*.h; do
    echo "#include <tillbridge/${header##*/}>" > "$work/one.c"
    "$@" -I"$headers" -c "$work/one.c" -o "$work/one.o" || return 1
  done > "$work/said" 2>&1
}
try_compiler () {
  name=$1
  shift
  if command -v "$1" > /dev/null; then
    # shellcheck disable=SC2086
    if compiles "$@" $strict; then say yes "$name"; else say no "$name"; fi
  elif [ "$1" = gcc ]; then
    echo "there is no gcc" > "$work/said"
    say no "$name"
  else
    skip "$name" "there is no $1"
  fi
}
try_compiler "the headers compile with gcc as C11" gcc -std=c11
try_compiler "the headers compile with gcc as C11 for size" gcc -std=c11 -Os
try_compiler "the headers compile with gcc as C17 with GNU's own" gcc -std=gnu17
try_compiler "the headers compile with clang as C11" clang -std=c11
try_compiler "the headers compile with g++ as C++17" g++ -std=c++17 -x c++
try_compiler "the headers compile with clang++ as C++17" clang++ -std=c++17 -x c++

# is_refused NAME CODE WORDS: the code in a function of a plugin does not compile under the template's flags, and the compiler says WORDS
frame () {
  printf '#include <tillbridge/plugin.h>\ntb_status f (tb_call *call, const tb_json *p, tb_items *items);\n'
  printf 'tb_status f (tb_call *call, const tb_json *p, tb_items *items)\n{\n  tb_product product = { 0 };\n'
  printf '  (void) call; (void) p; (void) items; (void) product;\n  %s\n  return TB_OK;\n}\n' "$1"
}
refuse_code () {
  frame "$2" > "$work/wrong.c"
  # shellcheck disable=SC2086
  if gcc -std=c11 $strict -I"$headers" -c "$work/wrong.c" -o "$work/wrong.o" > "$work/said" 2>&1; then
    echo "it compiled" > "$work/said"
    say no "$1"
  elif grep -q -e "$3" "$work/said"; then say yes "$1"; else say no "$1"; fi
}
frame 'product.name = tb_text (p, "name"); return tb_emit (call, &product);' > "$work/right.c"
# shellcheck disable=SC2086
if gcc -std=c11 $strict -I"$headers" -c "$work/right.c" -o "$work/right.o" > "$work/said" 2>&1; then
  say yes "the frame of the next tests compiles"
else
  say no "the frame of the next tests compiles"
fi
refuse_code "a flag is no condition" 'if (product.visible) return TB_INTERNAL;' 'used struct type value'
refuse_code "a number is no quantity" 'product.quantity = 3;' 'incompatible types'
refuse_code "money is no quantity" 'product.quantity = tb_cash (p, "price");' 'incompatible types'
refuse_code "what is no record cannot be emitted" 'tb_price price = { 0 }; return tb_emit (call, &price);' 'not compatible with any association'
refuse_code "the result of emit is looked at" 'tb_emit (call, &product);' 'unused-result'
refuse_code "the result of a request is looked at" 'const tb_json *a; tb_get (call, &a, "/x");' 'unused-result'
refuse_code "a page's ending is looked at" 'tb_done (call);' 'unused-result'
refuse_code "a number for %s" 'const tb_json *a; return tb_get (call, &a, "/x/%s", 3LL);' 'Werror=format='
refuse_code "%d for a page number" 'const tb_json *a; return tb_get (call, &a, "/x/%d", 3LL);' 'Werror=format='
refuse_code "what was read cannot be set" 'tb_set_text (p, "name", "x");' 'discarded-qualifiers'
refuse_code "a buyer is no unit" 'product.unit = TB_MEDICAL;' 'enum-conversion'
refuse_code "a list of the wrong rows" 'static const tb_rule rows[] = { { 0 } }; tb_endpoint e = { .credentials = TB_LIST (rows) }; (void) e;' 'incompatible-pointer-types'
refuse_code "a list of a pointer" 'static const tb_rule *rows; tb_endpoint e = { .rules = TB_LIST (rows) }; (void) e;' 'sizeof-pointer-div'

# grown STRUCT MEMBER WHERE: a copy of the headers in which a struct has one more member, after the line that matches WHERE (or at its end)
grown () {
  rm -rf "$work/grown"
  cp -r "$headers" "$work/grown"
  for struct in $1; do
    sed -i -e "/^typedef struct $struct {/,/^} $struct;/{" -e "$2" -e '}' "$work"/grown/tillbridge/*.h
  done
}
layout () {
  cat > "$work/layout.c" << 'END'
#include <tillbridge/plugin.h>
#define TB_PLACE(type, member, at) _Static_assert (offsetof (type, member) == at, #type "." #member " moved");
#define TB_LAST(type, member) _Static_assert (offsetof (type, member) + sizeof (((type *) 0)->member) == sizeof (type), #type " has another end");
#include "sdk-layout.h"
END
  gcc -std=c11 -I"$1" -I"$source_dir/tests/unit" -c "$work/layout.c" -o "$work/layout.o" > "$work/said" 2>&1
}
if [ "$(getconf LONG_BIT)" = 64 ]; then
  if layout "$headers"; then say yes "every member is at its place"; else say no "every member is at its place"; fi
  grown tb_product '/brand/a int added;'
  if ! layout "$work/grown" && grep -q 'tb_product.classification moved' "$work/said"; then
    say yes "a member put in the middle does not compile"
  else
    say no "a member put in the middle does not compile"
  fi
  grown tb_product 's/uint32_t reserved;//'
  if ! layout "$work/grown"; then say yes "a struct that ends in padding does not compile"; else say no "a struct that ends in padding does not compile"; fi
else
  skip "every member is at its place" "the table is for 64 bits"
fi
grown "tb_setting tb_stream tb_endpoint tb_rule tb_credential tb_product tb_price tb_plugin_info tb_order" '/^} /i long long added; int added2; int added3;'
if grep -q 'added2' "$work/grown/tillbridge/records.h" && gcc -std=c11 $strict -fPIC -shared -I"$work/grown" -o "$work/grown.so" \
  "$source_dir"/plugins/treez/*.c > "$work/said" 2>&1; then
  say yes "older sources compile silently on headers that grew"
else
  say no "older sources compile silently on headers that grew"
fi

# every struct that a plugin hands over or is handed has its size in the table
missing=
grep -o '^TB_LAST ([a-z_]*' "$source_dir/tests/unit/sdk-layout.h" | sed 's/.*(//' > "$work/structs"
for struct in $(cat "$work/structs"); do
  case $struct in
  # by value, or only ever behind the host's own pointer
  tb_flag | tb_decimal | tb_money | tb_bytes | tb_pair | tb_pace | tb_call | tb_json | tb_items | tb_form | tb_map | tb_host | tb_sizes) ;;
  *) sed -n '/define TB_SIZES/,/^  }/p' "$headers/tillbridge/plugin.h" | tr '\\\n' '  ' | grep -q "sizeof ($struct)" || missing="$missing $struct" ;;
  esac
done
echo "without a size:$missing" > "$work/said"
if [ -s "$work/structs" ] && [ -z "$missing" ]; then say yes "every struct has its size in the table"; else say no "every struct has its size in the table"; fi

if command -v clang > /dev/null && [ "$(uname -m)" = x86_64 ]; then
  "$source_dir/sdk/layouts.sh" 2>&1 | diff -u "$source_dir/tests/unit/sdk-layout.h" - > "$work/said" 2>&1
  if [ -s "$work/said" ]; then say no "the table of places is what sdk/layouts.sh says"; else say yes "the table of places is what sdk/layouts.sh says"; fi
else
  skip "the table of places is what sdk/layouts.sh says" "there is no clang for x86_64"
fi
# the version is said twice: in the headers, and for pkg-config
pc=${TB_BUILD:-$source_dir}/sdk/tillbridge.pc
said=$(sed -n 's/^Version: //p' "$pc" 2> "$work/said")
in_headers=$(sed -n 's/^#define TB_SDK_M[AJINOR]* //p' "$headers/tillbridge/base.h" | paste -sd.)
echo "$pc says $said, the headers $in_headers" > "$work/said"
if [ "$said" = "$in_headers" ]; then say yes "pkg-config says the headers' version"; else say no "pkg-config says the headers' version"; fi
echo "1..$number"
