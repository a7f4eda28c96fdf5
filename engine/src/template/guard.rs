//! Has a template's operands weighed before anything reads them whole.
//!
//! The template engine charges fuel for instructions, for text and for the items it visits,
//! but not for what is inside an item: `{% set l = [l, l] %}`, thirty times, costs nothing to
//! build and for ever to print. So each operation that may read its operands to their last leaf
//! is preceded by a call that counts the leaves and charges for each: work and memory of a
//! run stay within a fixed multiple of its fuel.
//!
//! Owner of that rewriting and of the prices. It must never let pass an instruction that
//! it does not know.

use super::TemplateError;
use minijinja::machinery::{Instruction, Instructions};
use minijinja::value::{Rest, Value, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State};

/// The weighing functions; no template can name them.
const WEIGH: &str = "\u{1}weigh";
const WEIGH_PRODUCT: &str = "\u{1}weigh_product";
const WEIGH_REPEATED: &str = "\u{1}weigh_repeated";

/// Filters, functions and methods that look at their operands' shape and no deeper; what they
/// give is weighed where it is used. They are the most used by far, often on the whole payload.
const SHALLOW: &[&str] = &[
    "d",
    "default",
    "get",
    "iif",
    "is_defined",
    "items",
    "keys",
    "length",
    "values",
];

/// Tests that do the same.
const SHALLOW_TESTS: &[&str] = &[
    "boolean",
    "defined",
    "float",
    "int",
    "integer",
    "iterable",
    "mapping",
    "none",
    "number",
    "sequence",
    "string",
    "undefined",
];

/// What may do work, or make text, of its first operand's size times the others'.
const PRODUCTS: &[&str] = &[
    "format",
    "lstrip",
    "map",
    "reject",
    "rejectattr",
    "replace",
    "rstrip",
    "select",
    "selectattr",
    "slugify",
    "strip",
    "trim",
];

/// Most operands of one operation: a dictionary with 4,000 entries does not fit a template.
const OPERANDS_MAX: usize = 16 * 1024;

/// Deepest nesting of a value: payloads are cut at less, and reading a value recurses.
const DEPTH_MAX: usize = 64;

/// Bytes of text that weigh as much as one item.
const BYTES_PER_ITEM: usize = 64;

/// Items for one fuel, as dear as one instruction.
const ITEMS_PER_FUEL: u64 = 4;

/// Steps of a product for one fuel: a step compares or copies about one byte.
const STEPS_PER_FUEL: u64 = 256;

/// Adds the weighing functions.
pub(super) fn register(env: &mut Environment<'static>) {
    env.add_function(
        WEIGH,
        |state: &State<'_, '_>, operands: Rest<ValueOrKwargs>| {
            let operands = operands.into_values();
            Scales::new(state).weigh_all(&operands)?;
            Ok::<_, Error>(back(operands))
        },
    );
    env.add_function(
        WEIGH_PRODUCT,
        |state: &State<'_, '_>, operands: Rest<ValueOrKwargs>| {
            let operands = operands.into_values();
            weigh_product(state, &operands)?;
            Ok::<_, Error>(back(operands))
        },
    );
    env.add_function(WEIGH_REPEATED, |operands: Rest<ValueOrKwargs>| {
        let operands = operands.into_values();
        // Nested repetitions are lazy: an index into them would be looked for without end.
        if operands.iter().any(|v| is_container(v.kind())) {
            let problem = "a list cannot be multiplied";
            return Err(Error::new(ErrorKind::InvalidOperation, problem));
        }
        Ok(back(operands))
    });
}

/// The operands as the unpacking instruction wants them: the last one first.
fn back(mut operands: Vec<Value>) -> Value {
    operands.reverse();
    Value::from(operands)
}

fn weigh_product(state: &State<'_, '_>, operands: &[Value]) -> Result<(), Error> {
    let Some((first, others)) = operands.split_first() else {
        return Ok(());
    };
    let mut scales = Scales::new(state);
    scales.weigh(first, 0)?;
    let of_first = scales.steps();
    scales.weigh_all(others)?;
    let of_others = scales.steps() - of_first;
    state.consume_fuel(of_first.saturating_mul(of_others) / STEPS_PER_FUEL)
}

/// Counts what is in values, and charges for it as it goes.
struct Scales<'a> {
    state: &'a State<'a, 'a>,
    items: u64,
    bytes: u64,
    paid: u64,
}

impl<'a> Scales<'a> {
    fn new(state: &'a State<'_, '_>) -> Self {
        Self {
            state,
            items: 0,
            bytes: 0,
            paid: 0,
        }
    }

    fn weigh_all(&mut self, values: &[Value]) -> Result<(), Error> {
        values.iter().try_for_each(|value| self.weigh(value, 0))
    }

    fn weigh(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > DEPTH_MAX {
            let problem = "a value nests too deeply";
            return Err(Error::new(ErrorKind::InvalidOperation, problem));
        }
        let text = value.as_bytes().map_or(0, <[u8]>::len);
        self.bytes += text as u64;
        self.pay(1 + (text / BYTES_PER_ITEM) as u64)?;
        match value.kind() {
            ValueKind::Map => {
                let pairs = value.as_object().and_then(|map| map.try_iter_pairs());
                for (key, item) in pairs.into_iter().flatten() {
                    self.weigh(&key, depth + 1)?;
                    self.weigh(&item, depth + 1)?;
                }
            }
            ValueKind::Seq | ValueKind::Iterable => {
                for item in value.try_iter()? {
                    self.weigh(&item, depth + 1)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn pay(&mut self, items: u64) -> Result<(), Error> {
        self.items += items;
        let due = self.items / ITEMS_PER_FUEL;
        let fuel = due - self.paid;
        self.paid = due;
        if fuel == 0 {
            return Ok(());
        }
        self.state.consume_fuel(fuel)
    }

    const fn steps(&self) -> u64 {
        self.items + self.bytes
    }
}

const fn is_container(kind: ValueKind) -> bool {
    !matches!(
        kind,
        ValueKind::Undefined
            | ValueKind::None
            | ValueKind::Bool
            | ValueKind::Number
            | ValueKind::String
    )
}

/// The same program with the weighing put in.
///
/// Made anew for each run: the program borrows from the environment, and copying some thirty
/// instructions is cheap beside running them.
pub(super) fn guarded<'a>(plain: &Instructions<'a>) -> Result<Instructions<'a>, TemplateError> {
    let count = u32::try_from((0..).map_while(|i| plain.get(i)).count())
        .map_err(|_| TemplateError::TooLong)?;
    let mut starts = Vec::with_capacity(count as usize + 1);
    let mut next = 0;
    for instruction in (0..count).filter_map(|i| plain.get(i)) {
        starts.push(next);
        next += if weighing(instruction)?.is_some() {
            3
        } else {
            1
        };
    }
    starts.push(next);
    let mut out = Instructions::new(plain.name(), plain.source());
    for instruction in (0..count).filter_map(|i| plain.get(i)) {
        if let Some((function, operands)) = weighing(instruction)? {
            let n = u16::try_from(operands).map_err(|_| TemplateError::TooLong)?;
            out.add(Instruction::CallFunction(function, Some(n)));
            out.add(Instruction::UnpackList(operands));
        }
        let mut instruction = instruction.clone();
        redirect(&mut instruction, &starts);
        out.add(instruction);
    }
    Ok(out)
}

fn redirect(instruction: &mut Instruction<'_>, starts: &[u32]) {
    match instruction {
        Instruction::Iterate(target)
        | Instruction::Jump(target)
        | Instruction::JumpIfFalse(target)
        | Instruction::JumpIfFalseOrPop(target)
        | Instruction::JumpIfTrueOrPop(target) => {
            *target = starts.get(*target as usize).copied().unwrap_or(u32::MAX);
        }
        _ => {}
    }
}

/// What is to be weighed before the instruction: by which function, and how many operands.
fn weighing(instruction: &Instruction<'_>) -> Result<Option<(&'static str, usize)>, TemplateError> {
    Ok(match instruction {
        Instruction::Eq
        | Instruction::Ne
        | Instruction::Gt
        | Instruction::Gte
        | Instruction::Lt
        | Instruction::Lte
        | Instruction::In
        | Instruction::CompareAndPreserve(_)
        | Instruction::Add
        | Instruction::StringConcat
        | Instruction::GetItem => Some((WEIGH, 2)),
        Instruction::Mul => Some((WEIGH_REPEATED, 2)),
        Instruction::Slice => Some((WEIGH, 4)),
        Instruction::Emit => Some((WEIGH, 1)),
        Instruction::BuildMap(pairs) if *pairs <= OPERANDS_MAX / 2 => Some((WEIGH, 2 * pairs)),
        Instruction::ApplyFilter(name, Some(n), _)
        | Instruction::CallFunction(name, Some(n))
        | Instruction::CallMethod(name, Some(n)) => weighing_of(name, SHALLOW, *n),
        Instruction::PerformTest(name, Some(n), _) => weighing_of(name, SHALLOW_TESTS, *n),
        Instruction::CallObject(Some(n)) => Some((WEIGH, usize::from(*n))),
        Instruction::EmitRaw(_)
        | Instruction::StoreLocal(_)
        | Instruction::Lookup(_)
        | Instruction::GetAttr(_)
        | Instruction::LoadConst(_)
        | Instruction::BuildKwargs(_)
        | Instruction::BuildList(_)
        | Instruction::BuildTuple(Some(_))
        | Instruction::UnpackList(_)
        | Instruction::Sub
        | Instruction::Div
        | Instruction::IntDiv
        | Instruction::Rem
        | Instruction::Pow
        | Instruction::Neg
        | Instruction::Not
        | Instruction::PushLoop(0 | 1)
        | Instruction::PushWith
        | Instruction::Iterate(_)
        | Instruction::PushDidNotIterate
        | Instruction::PopFrame
        | Instruction::PopLoopFrame
        | Instruction::Jump(_)
        | Instruction::JumpIfFalse(_)
        | Instruction::JumpIfFalseOrPop(_)
        | Instruction::JumpIfTrueOrPop(_)
        | Instruction::DupTop
        | Instruction::DiscardTop
        | Instruction::Swap => None,
        // Unpacked arguments, macros, blocks, captured text: no device brings them.
        _ => {
            let problem = "something in it is not supported";
            return Err(TemplateError::Syntax(problem.to_owned()));
        }
    })
}

fn weighing_of(name: &str, shallow: &[&str], operands: u16) -> Option<(&'static str, usize)> {
    let name: String = name.chars().filter(|c| !c.is_whitespace()).collect();
    let function = if PRODUCTS.contains(&name.as_str()) {
        WEIGH_PRODUCT
    } else if shallow.contains(&name.as_str()) {
        return None;
    } else {
        WEIGH
    };
    (operands > 0).then_some((function, usize::from(operands)))
}
