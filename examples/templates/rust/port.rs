// A port in Rust to start from: put your own code into `evaluate`.
//     rustc -O port.rs && adaface-ref port -- ./port
use std::io::{BufRead, Write};

const HELLO: &str = r#"{"type":"hello","protocol":1,"name":"my-port","language":"Rust","version":"0.1","losses":{"cosface":["pure"]},"dtypes":["float64"],"quantities":["logit","gst"]}"#;

/// CosFace at target cosine c and rival cosine n: FILL IN YOUR OWN.
fn evaluate(quantity: &str, c: f64, n: f64, scale: f64, margin: f64) -> f64 {
    let logit = scale * (c - margin);
    if quantity == "logit" {
        return logit;
    }
    // gst = (P - 1) s. Formed as 1 - P = 1/(1 + e^x) it does not cancel as P nears 1.
    let x = logit - scale * n;
    let small = (-x.abs()).exp();
    -scale * (if x > 0.0 { small } else { 1.0 }) / (1.0 + small)
}

/// What stands between `"name"` with `start`, and `end`. Names are unique.
fn field<'a>(line: &'a str, name: &str, start: &str, end: char) -> Option<&'a str> {
    let key = format!("\"{name}\"{start}");
    let rest = &line[line.find(&key)? + key.len()..];
    rest.get(..rest.find(end)?)
}

/// A field of 16 hex digits a value: as many as there are points, or one for all.
fn column(line: &str, name: &str, count: usize) -> Option<Vec<f64>> {
    let digits = field(line, name, ":\"", '"')?;
    let starts = (0..digits.len()).step_by(16);
    let bits = starts.map(|i| u64::from_str_radix(digits.get(i..i + 16)?, 16).ok());
    let values: Vec<f64> = bits.map(|b| b.map(f64::from_bits)).collect::<Option<_>>()?;
    let every = if values.len() == 1 { count } else { 1 };
    Some(values.repeat(every)).filter(|all| all.len() == count)
}

fn answer(line: &str) -> Option<String> {
    let count = field(line, "count", ":", ',')?.parse().ok()?;
    let get = |name| column(line, name, count);
    let (s, m, c) = (get("scale")?, get("margin")?, get("target_cosine")?);
    let n = get("rival_cosine").unwrap_or(c.clone()); // the logit needs none
    let mut parts = Vec::new();
    for quantity in field(line, "quantities", ":[", ']')?.split(',') {
        let mut part = format!("{quantity}:\"");
        for i in 0..count {
            let value = evaluate(quantity.trim_matches('"'), c[i], n[i], s[i], m[i]);
            part += &format!("{:016x}", value.to_bits());
        }
        parts.push(part + "\"");
    }
    let (id, all) = (field(line, "id", ":", ',')?, parts.join(","));
    let start = format!("{{\"type\":\"values\",\"id\":{id},\"values\":{{");
    Some(start + &all + "}}")
}

fn main() {
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let bye = line.contains("\"type\":\"bye\"");
        let reply = match () {
            _ if bye => r#"{"type":"bye"}"#.to_string(),
            _ if line.contains("\"type\":\"hello\"") => HELLO.to_string(),
            _ => answer(&line).unwrap_or_else(|| {
                let id = field(&line, "id", ":", ',').unwrap_or("0");
                format!("{{\"type\":\"error\",\"id\":{id},\"message\":\"not understood\"}}")
            }),
        };
        println!("{reply}");
        std::io::stdout().flush().expect("stdout is open");
        if bye {
            break;
        }
    }
}
