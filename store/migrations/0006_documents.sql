-- The documents that clients send by their hash, so that a server that starts
-- knows the commonest of them. They belong to no workspace: a document is what
-- an app asks, its variables are not here.

-- +goose Up
CREATE TABLE document (
  hash    text        NOT NULL, -- SHA-256 in hexadecimal
  body    text        NOT NULL,
  uses    bigint      NOT NULL,
  used_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT document_pk PRIMARY KEY (hash),
  CONSTRAINT document_body_length CHECK (octet_length(body) <= 65536)
);
CREATE INDEX document_uses ON document (uses DESC);
