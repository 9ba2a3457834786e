-- Up Migration

-- Times have the precision of a JavaScript Date, since cursors carry them there and back.
CREATE TABLE projects (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL CONSTRAINT project_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
  created_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE INDEX projects_by_age ON projects (created_at, id);

CREATE TABLE members (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  project_id uuid NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  name text NOT NULL CONSTRAINT member_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
  role text NOT NULL CONSTRAINT member_role CHECK (role IN ('owner', 'member')),
  created_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE INDEX members_by_age ON members (project_id, created_at, id);

CREATE UNIQUE INDEX one_owner_a_project ON members (project_id) WHERE role = 'owner';

-- Down Migration

DROP TABLE members;
DROP TABLE projects;
