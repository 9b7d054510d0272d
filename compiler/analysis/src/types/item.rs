//! What an item that names a type means.

use flow_ir::types::{Column, EnumType, RecordType, Row, Type};
use flow_syntax::{
    ast::{self, ItemKind, TypeKind},
    diagnostic::{Diagnostic, code},
    span::Span,
};

use super::{Resolver, RowScheme, Scheme};
use crate::{
    db::{Db, Item, parse_item},
    names::{recursion, repeats},
    stack::with_stack,
};

/// Aliases of aliases may double with each step; a type that is larger than this is no type.
const MAX_SIZE: usize = 20_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypeItem {
    pub meaning: Meaning,
    pub diagnostics: Vec<Diagnostic>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// A mistake was made and reported.
    Error,
    /// An enum, or an alias of a type.
    Type(Scheme),
    /// A schema, or an alias of a row.
    Row(Row),
}

/// The meaning of an alias, enum or schema; an error where the item is none of them.
#[salsa::tracked(cycle_result = circular)]
pub fn type_item<'db>(db: &'db dyn Db, item: Item<'db>) -> TypeItem {
    if recursion(db, item).is_some() || parse_item(db, item).broken_at().is_some() {
        return TypeItem { meaning: Meaning::Error, diagnostics: Vec::new() };
    }
    with_stack(|| type_of(db, item))
}

fn type_of<'db>(db: &'db dyn Db, item: Item<'db>) -> TypeItem {
    let mut resolver = Resolver::new(db, item.file(db));
    let meaning = match &parse_item(db, item).item.kind {
        ItemKind::Type(alias) => alias_meaning(db, item, alias, &mut resolver),
        ItemKind::Enum(definition) => {
            resolver.diagnostics.extend(repeats(definition.variants.iter().map(|variant| &variant.name)));
            if definition.variants.is_empty() {
                let message =
                    format!("the enum `{}` has no variant: no value could be one", definition.name.text);
                resolver.diagnostics.push(Diagnostic::error(
                    code::TYPE_MISMATCH,
                    definition.name.span,
                    message,
                ));
            }
            enum_meaning(db, item, definition)
        }
        ItemKind::Schema(schema) => {
            resolver.diagnostics.extend(repeats(schema.columns.iter().map(|column| &column.name)));
            schema_meaning(schema, &mut resolver)
        }
        _ => Meaning::Error,
    };
    TypeItem { meaning, diagnostics: resolver.diagnostics }
}

/// The enum that an item defines.
pub fn enum_of<'db>(db: &'db dyn Db, item: Item<'db>) -> Option<&'db EnumType> {
    match &type_item(db, item).meaning {
        Meaning::Type(Scheme::Ground(Type::Enum(ty))) => Some(ty),
        _ => None,
    }
}

fn circular<'db>(_: &'db dyn Db, _: salsa::Id, _: Item<'db>) -> TypeItem {
    TypeItem { meaning: Meaning::Error, diagnostics: Vec::new() }
}

fn alias_meaning<'db>(
    db: &'db dyn Db,
    item: Item<'db>,
    alias: &ast::TypeAlias,
    resolver: &mut Resolver<'db>,
) -> Meaning {
    if let TypeKind::Row(_) = alias.ty.kind {
        return match resolver.row(&alias.ty) {
            RowScheme::Ground(row) => Meaning::Row(row),
            RowScheme::Error => Meaning::Error,
            _ => {
                let message = "an alias names one row: it cannot be open";
                resolver.diagnostics.push(Diagnostic::error(code::TYPE_MISMATCH, alias.ty.span, message));
                Meaning::Error
            }
        };
    }
    match resolver.ty(&alias.ty) {
        Scheme::Error => Meaning::Error,
        Scheme::Ground(Type::Record(RecordType { name: None, fields })) => {
            let name = Some(full_name(db, item));
            bounded(Type::Record(RecordType { name, fields }), alias.ty.span, resolver)
        }
        Scheme::Ground(ty) => bounded(ty, alias.ty.span, resolver),
        scheme => Meaning::Type(scheme),
    }
}

fn bounded(ty: Type, span: Span, resolver: &mut Resolver<'_>) -> Meaning {
    let mut budget = MAX_SIZE;
    if within(&ty, &mut budget) {
        return Meaning::Type(Scheme::Ground(ty));
    }
    resolver.diagnostics.push(Diagnostic::error(code::TYPE_MISMATCH, span, "this type is too large"));
    Meaning::Error
}

fn within(ty: &Type, budget: &mut usize) -> bool {
    if *budget == 0 {
        return false;
    }
    *budget -= 1;
    match ty {
        Type::Optional(inner) | Type::List(inner) => within(inner, budget),
        Type::Refined { base, .. } => within(base, budget),
        Type::Record(record) => record.fields.iter().all(|field| within(&field.ty, budget)),
        Type::Dataset(row) => row.columns.iter().all(|column| within(&column.ty, budget)),
        Type::Model(model) => model.row.columns.iter().all(|column| within(&column.ty, budget)),
        _ => true,
    }
}

fn enum_meaning<'db>(db: &'db dyn Db, item: Item<'db>, definition: &ast::Enum) -> Meaning {
    let variants = definition.variants.iter().map(|variant| variant.name.text.clone()).collect();
    Meaning::Type(Scheme::Ground(Type::Enum(EnumType { name: full_name(db, item), variants })))
}

fn schema_meaning(schema: &ast::Schema, resolver: &mut Resolver<'_>) -> Meaning {
    let mut columns = Vec::new();
    let mut is_sound = true;
    for column in &schema.columns {
        match resolver.ty(&column.ty) {
            Scheme::Ground(ty) if crate::rows::column_type(&ty).is_none() => {
                is_sound = false;
                let message = format!("a column cannot be `{}`", super::show(&ty));
                resolver.diagnostics.push(Diagnostic::error(code::TYPE_MISMATCH, column.ty.span, message));
            }
            Scheme::Ground(ty) => columns.push(Column {
                name: column.name.text.clone(),
                ty: with_positive(ty, column, &mut resolver.diagnostics),
                source: column.from.as_ref().map(|from| from.value.clone()),
            }),
            Scheme::Error => is_sound = false,
            _ => {
                is_sound = false;
                let message = "a column has a plain type, such as `Float` or `Label<Bool>`";
                resolver.diagnostics.push(Diagnostic::error(code::TYPE_MISMATCH, column.ty.span, message));
            }
        }
    }
    if is_sound { Meaning::Row(Row { columns }) } else { Meaning::Error }
}

/// `income: Label<Category> positive ">50K"`
fn with_positive(ty: Type, column: &ast::SchemaColumn, diagnostics: &mut Vec<Diagnostic>) -> Type {
    let Some(positive) = &column.positive else { return ty };
    match ty {
        Type::Label { of, .. } if matches!(of.present(), Type::Category | Type::Text) => {
            Type::Label { of, positive: Some(positive.value.clone()) }
        }
        Type::Optional(inner) => Type::Optional(Box::new(with_positive(*inner, column, diagnostics))),
        other => {
            let message =
                format!("`positive` names a class of a `Label<Category>`, not of `{}`", super::show(&other));
            diagnostics.push(Diagnostic::error(code::TYPE_MISMATCH, positive.span, message));
            other
        }
    }
}

fn full_name<'db>(db: &'db dyn Db, item: Item<'db>) -> String {
    format!("{}.{}", item.file(db).module(db), item.name(db))
}
