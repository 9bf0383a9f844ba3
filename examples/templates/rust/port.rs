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

/// What stands between `"name":` and `end`. Names are unique, and nothing is escaped.
fn field<'a>(line: &'a str, name: &str, end: char) -> Option<&'a str> {
    let key = format!("\"{name}\":");
    let rest = &line[line.find(&key)? + key.len()..];
    rest.get(..rest.find(end)?)
}

/// The values of a field of 16 hex digits a value: `count` of them, or one for all.
fn values(line: &str, name: &str) -> Option<Vec<f64>> {
    let key = format!("\"{name}\":\"");
    let rest = &line[line.find(&key)? + key.len()..];
    let bits = |digits| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    let digits = rest.get(..rest.find('"')?)?.as_bytes();
    digits.chunks(16).map(|one| bits(one).map(f64::from_bits)).collect()
}

fn answer(line: &str) -> Option<String> {
    let count: usize = field(line, "count", ',')?.parse().ok()?;
    let column = |name| values(line, name).map(|v| move |i: usize| v[if v.len() == 1 { 0 } else { i }]);
    let (s, m, c) = (column("scale")?, column("margin")?, column("target_cosine")?);
    let n = column("rival_cosine").or(column("target_cosine"))?; // the logit needs none
    let mut parts = Vec::new();
    for quantity in field(line, "quantities", ']')?[1..].split(',').map(|q| q.trim_matches('"')) {
        let digits: String = (0..count)
            .map(|i| format!("{:016x}", evaluate(quantity, c(i), n(i), s(i), m(i)).to_bits()))
            .collect();
        parts.push(format!("\"{quantity}\":\"{digits}\""));
    }
    let (id, all) = (field(line, "id", ',')?, parts.join(","));
    Some(format!("{{\"type\":\"values\",\"id\":{id},\"values\":{{{all}}}}}"))
}

fn main() {
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let bye = line.contains("\"type\":\"bye\"");
        let reply = match () {
            _ if bye => r#"{"type":"bye"}"#.to_string(),
            _ if line.contains("\"type\":\"hello\"") => HELLO.to_string(),
            _ => answer(&line).unwrap_or_else(|| {
                let id = field(&line, "id", ',').unwrap_or("0");
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
