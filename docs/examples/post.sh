#!/bin/sh
# Signs in, finds a person, posts and reads, by curl.
# Usage: KAMACHAT=https://chat.example.org KAMACHAT_USER=… KAMACHAT_PASSWORD=… post.sh WHOM TEXT
# All that there is: $KAMACHAT/api/docs. A real program reads JSON by a parser.
set -eu

TOKEN=$(curl -sSf "$KAMACHAT/api/v1/login" -H "Content-Type: application/json" \
  -d "{\"username\":\"$KAMACHAT_USER\",\"password\":\"$KAMACHAT_PASSWORD\"}" | sed 's/.*"token":"\([^"]*\)".*/\1/')

curl -sSf "$KAMACHAT/api/v1/conversations?limit=20" -H "Authorization: Bearer $TOKEN"

WHOM=$(curl -sSf -G "$KAMACHAT/api/v1/people" --data-urlencode "q=$1" -H "Authorization: Bearer $TOKEN" | sed 's/.*"id":"\([^"]*\)".*/\1/')

# --retry sends it again after a lost answer; by its key it is stored once.
curl -sSf --retry 5 "$KAMACHAT/api/v1/conversations/$WHOM/messages" -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" -H "Idempotency-Key: $(date +%s)-$$" -d "{\"text\":\"$2\"}"

curl -sSf "$KAMACHAT/api/v1/conversations/$WHOM/messages?limit=5" -H "Authorization: Bearer $TOKEN"
