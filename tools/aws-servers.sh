#!/usr/bin/env bash
# Installs what stands in for AWS in the tests, pinned, below the ignored .tools/:
#
#   .tools/dynamodb/lib/*.jar    DynamoDB Local, the real expression engine
#   .tools/moto/bin/moto_server  moto, which speaks Secrets Manager too
#
# What is already there in the pinned version is left alone. Needs mvn and Java 17
# or later, and python3 with venv. Nothing is started here: the tests do that.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dynamodb=2.6.1
plugin=3.8.1 # Maven's, which copies the jars
moto=5.2.5

say() { printf '%s\n' "$*"; }
die() { printf 'aws-servers: %s\n' "$*" >&2; exit 1; }
need() { command -v "$1" >/dev/null || die "$1 is missing: $2"; }

# Reports whether a folder holds that version, whole: the mark is written last.
is() { [ "$(cat "$1/.version" 2>/dev/null)" = "$2" ]; }

install_dynamodb() (
  folder=.tools/dynamodb
  if is "$folder" "$dynamodb"; then
    say "DynamoDB Local $dynamodb is in $folder"
    exit
  fi
  need java "install a Java runtime, 17 or later (Debian: openjdk-17-jre-headless)"
  need mvn "install Maven (Debian: maven)"
  say "DynamoDB Local $dynamodb: fetching it and its dependencies into $folder"
  rm -rf "$folder"
  mkdir -p "$folder/lib"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  cat >"$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>thalas</groupId>
  <artifactId>aws-servers</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>com.amazonaws</groupId>
      <artifactId>DynamoDBLocal</artifactId>
      <version>$dynamodb</version>
    </dependency>
  </dependencies>
</project>
POM
  mvn --batch-mode --quiet --file "$work/pom.xml" \
    "org.apache.maven.plugins:maven-dependency-plugin:$plugin:copy-dependencies" \
    -DincludeScope=runtime -DoutputDirectory="$PWD/$folder/lib" </dev/null
  compgen -G "$folder/lib/DynamoDBLocal-*.jar" >/dev/null || die "Maven left no DynamoDBLocal jar in $folder/lib"
  printf '%s\n' "$dynamodb" >"$folder/.version"
)

install_moto() {
  local folder=.tools/moto
  if is "$folder" "$moto"; then
    say "moto $moto is in $folder"
    return
  fi
  need python3 "install Python 3.9 or later with venv (Debian: python3-venv)"
  say "moto $moto: installing it into the virtual environment $folder"
  rm -rf "$folder"
  mkdir -p .tools
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --no-compile --disable-pip-version-check "moto[server]==$moto"
  [ -x "$folder/bin/moto_server" ] || die "pip left no $folder/bin/moto_server"
  printf '%s\n' "$moto" >"$folder/.version"
}

install_dynamodb
install_moto
