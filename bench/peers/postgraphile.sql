-- What PostGraphile's users write by hand for Q3, Q4 and Q5.

CREATE OR REPLACE FUNCTION bench_page(organization uuid, wanted text, since bigint, until bigint, before bigint, before_id uuid)
RETURNS SETOF feedback_record LANGUAGE sql STABLE AS $$
  SELECT * FROM feedback_record f
  WHERE f.organization_id = organization AND f.kind = wanted AND f.received_at >= since AND f.received_at < until
    AND (f.received_at, f.id) < (before, before_id)
  ORDER BY f.received_at DESC, f.id DESC
$$;

CREATE OR REPLACE FUNCTION bench_groups(organization uuid, OUT count bigint, OUT bucket_start bigint, OUT point_id uuid,
  OUT mean double precision, OUT n bigint)
RETURNS SETOF record LANGUAGE sql STABLE AS $$
  SELECT COUNT(*), (EXTRACT(epoch FROM date_trunc('week', to_timestamp(f.received_at / 1000.0) AT TIME ZONE 'UTC'))
    * 1000)::bigint, f.point_id, AVG(f.sentiment_score), COUNT(f.sentiment_score)
  FROM feedback_record f WHERE f.organization_id = organization GROUP BY 2, 3 ORDER BY 2, 3
$$;

CREATE OR REPLACE FUNCTION bench_create(organization_id uuid, kind text, sentiment text, sentiment_score double precision, body text,
  received_at bigint, point_id uuid, medium_id uuid, idempotency_key text, fingerprint text)
RETURNS feedback_record LANGUAGE sql VOLATILE AS $$
  WITH t AS (SELECT (EXTRACT(epoch FROM now()) * 1000)::bigint AS now, gen_random_uuid() AS id),
  i AS (
    INSERT INTO idempotency (organization_id, subject, idempotency_key, fingerprint, created_at, result)
    SELECT $1, 'bench', $9, $10, t.now, json_build_array(json_build_object('id', t.id, 'outcome', 'CREATED', 'errors',
      '[]'::json))::text FROM t
    ON CONFLICT DO NOTHING RETURNING 1
  ),
  d AS (
    SELECT r.id AS rule, r.version, COALESCE(r.department_id, o.fallback_department_id) AS department,
      COALESCE(r.priority, 'NORMAL') AS priority, r.response_policy_id,
      CASE WHEN r.id IS NULL THEN 'No rule matched.' ELSE 'Rule “' || r.name || '” matched: kind ' || r.kind || '.' END
        AS reason
    FROM organization o LEFT JOIN LATERAL (
      SELECT * FROM routing_rule r WHERE r.organization_id = $1 AND r.archived_at IS NULL
        AND (r.kind IS NULL OR r.kind = $2) AND (r.sentiment IS NULL OR r.sentiment = $3)
        AND (r.score_from IS NULL OR $4 >= r.score_from) AND (r.score_to IS NULL OR $4 <= r.score_to)
        AND (r.point_id IS NULL OR r.point_id = $7) AND (r.medium_id IS NULL OR r.medium_id = $8)
      ORDER BY r.position, r.id LIMIT 1
    ) r ON true
    WHERE o.id = $1
  ),
  f AS (
    INSERT INTO feedback_record (organization_id, id, version, created_at, updated_at, kind, sentiment, sentiment_score,
      body, body_folded, received_at, tags, attributes, priority, point_id, medium_id, department_id)
    SELECT $1, t.id, 1, t.now, t.now, $2, $3, $4, $5, lower($5), $6, '[]', '[]', d.priority, $7, $8, d.department
    FROM t, d, i RETURNING *
  ),
  h AS (
    INSERT INTO routing (organization_id, id, version, created_at, updated_at, feedback_record_id, cause, rule_id,
      rule_version, department_id, priority, response_policy_id, reason, subject)
    SELECT $1, gen_random_uuid(), 1, t.now, t.now, f.id, CASE WHEN d.rule IS NULL THEN 'FALLBACK' ELSE 'RULE' END, d.rule,
      d.version, d.department, d.priority, d.response_policy_id, d.reason, 'bench' FROM t, d, f
  ),
  s AS (UPDATE organization_sequence SET last = last + 1, rolled_to = rolled_to + 1
    WHERE organization_id = $1 AND EXISTS (SELECT FROM i) RETURNING last),
  e AS (
    INSERT INTO event (organization_id, id, sequence, noun, row_id, operation, version, subject, occurred_at, fields)
    SELECT $1, gen_random_uuid(), s.last, 'FeedbackRecord', f.id, 'CREATED', 1, 'bench', t.now,
      '["kind","sentiment","sentimentScore","body","receivedAt","product","tags","attributes","point","medium","department","priority"]'
    FROM t, s, f
  )
  SELECT * FROM f
$$;
