#!/bin/sh
# What a plugin must not say of itself is refused when it is loaded, in one line that names the mistake; an older plugin is served.
set -u
build_dir=${TB_BUILD:-.}
worker=$build_dir/tillbridge-worker
plugins=$build_dir/tests/bad-plugins/.libs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0

# describe PLUGIN STATUS WORDS NAME: the exit status, and the words in what it prints
describe () {
  number=$((number + 1))
  "$worker" --describe "$plugins/$1.so" > "$work/said" 2>&1
  status=$?
  lines=$(wc -l < "$work/said")
  if [ "$status" = "$2" ] && [ "$lines" = 1 ] && sed "s|^$plugins/$1.so: ||" "$work/said" | grep -q -F -e "$3"; then
    echo "ok $number - $4"
  else
    echo "not ok $number - $4"
    echo "# exit status $status, expected $2 and one line with: $3"
    sed 's/^/# /' "$work/said"
  fi
}
refused () {
  describe "$1" 1 "$2" "$3"
}
described () {
  describe "$1" 0 "$2" "$3"
}
refused no-symbol tb_plugin "a shared object without the symbol"
refused no-magic tb_plugin "a symbol of something else"
refused other-major "built for SDK 1." "another major, before anything else is read"
refused newer-minor "built for SDK 0." "a newer minor, before anything else is read"
refused no-sizes "tb_plugin_info" "sizes of zero"
refused no-name "name" "no name"
refused no-kinds "kind" "a stream without kinds"
refused unknown-kind "kind" "a kind that nobody knows"
refused kind-twice "\"menu\"" "two streams with one kind"
refused stream-twice "\"products\"" "two streams of one name"
refused setting-twice "\"url\"" "two settings of one name"
refused default-outside '"page_size": its default "0"' "a default that no drop-in could say"
refused default-no-choice '"generation": its default "v1"' "a default that is none of the choices"
refused unknown-setting "{shop}" "a template with a setting that is not described"
refused unknown-when "generation=v3" "a condition on a setting that is not described"
refused no-doubt "doubt" "orders that do not say what happens when an answer is lost"
refused no-proof "proof" "webhooks that anybody could send"
described older '"sdk":"0.0"' "an older minor is served"
described older '"key":"shop","type":"text","default":"first"' "rows of an older size are walked by that size"
described older '"every_s":300' "a stream that does not say how often it is read"
described millrace '"name":"millrace"' "a good plugin is described"
described misbehaves '"name":"misbehaves"' "what misbehaves only later is described"
echo "1..$number"
